using System.CommandLine;
using UniFace.CommandLine.Terminal;
using UniFace.IO;
using UniFace.Training.Backbones;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench step`: images per second of training steps and of inference.</summary>
internal static class BenchStepCommand
{
    public static Command Create()
    {
        string description = $"Time training steps and inference of a backbone. Uses a normalized softmax over {StepBenchmark.Classes} people, sgd, and " +
            "random images in memory. Medians after a warm-up.\nExample: uniface bench step --backbone iresnet18 --batch 16 --threads 2 --json";
        string networks = string.Join(", ", BackboneRegistry.Names);
        CliOption<string> backbone = new("--backbone", $"Network: {networks}.") { Default = "mobilefacenet" };
        CliOption<double> width = new("--width", "Multiplier for the channels of mobilefacenet, 0.25 to 2.") { Default = 1 };
        CliOption<int> batch = new("--batch", "Images per batch.") { Default = 32 };
        CliOption<int> threads = new("--threads", "Threads per step.") { Default = Environment.ProcessorCount };
        CliOption<int> steps = new("--steps", "Steps to time, and as many forward passes.") { Default = 15, Range = (1, 100_000) };
        CliOption<Precision> precision = new("--precision", "Precision of a step's convolutions.");
        return CliCommand.Create("step", description, [backbone, width, batch, threads, steps, precision], (parsed, stop) =>
        {
            TrainOptions options = new()
            {
                Data = "",
                Loss = new NormFace(),
                Backbone = new BackboneSpec(parsed.GetRequiredValue(backbone), parsed.GetValue(width)),
                Batch = parsed.GetValue(batch),
                Threads = parsed.GetValue(threads),
                Precision = parsed.GetValue(precision),
                ImagesPerPerson = 1,
                Warmup = 0,
            };
            int count = parsed.GetValue(steps);
            HostAllocator.RetainFreedMemory();
            StepSpeed speed;
            using (ProgressMeter progress = new("timing", StepBenchmark.Count(count), "steps"))
            {
                speed = StepBenchmark.Run(options, count, () => progress.Add(), stop);
            }

            BackboneSpec network = speed.Backbone;
            object json = new
            {
                backbone = network.Name,
                network.Width,
                speed.Batch,
                speed.TrainImagesPerSecond,
                speed.InferImagesPerSecond,
                speed.Threads,
                precision = options.Precision.ToString().ToLowerInvariant(),
            };
            parsed.Print(
                json,
                ["backbone", "width", "batch", "threads", "training, images/s", "inference, images/s"],
                [[
                    network.Name, $"{network.Width}", $"{speed.Batch}", $"{speed.Threads}",
                    $"{speed.TrainImagesPerSecond:F1}", $"{speed.InferImagesPerSecond:F1}",
                ]]);
        });
    }
}
