using System.CommandLine;
using System.Text.Json;
using UniFace.CommandLine.Terminal;
using UniFace.IO;
using UniFace.Training.Backbones;
using UniFace.Training.Distributed;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench step`: images per second of training steps and of inference.</summary>
internal static class BenchStepCommand
{
    private const string Description = """
        Time training steps and inference of a backbone, with sgd, on random images in memory. Medians after a warm-up. Under mpiexec, the steps are those of
        a run of all processes: each has a part of the people and --batch images. The phases are those of the first process; backward includes the sums that
        it overlaps.
        Example: uniface bench step --backbone iresnet18 --batch 16 --threads 2 --json
        Example: mpiexec -n 2 uniface bench step --classes 1000000 --loss uce --batch 64
        """;

    public static Command Create()
    {
        string networks = string.Join(", ", BackboneRegistry.Names);
        CliOption<string> backbone = new("--backbone", $"Network: {networks}.") { Default = "mobilefacenet" };
        CliOption<double> width = new("--width", "Multiplier for the channels of mobilefacenet, 0.25 to 2.") { Default = 1 };
        CliOption<int> batch = new("--batch", "Images per batch and process.") { Default = 32, Range = (1, 65536) };
        CliOption<int> classes = new("--classes", "Number of people.") { Default = 10_000, Range = (3, 100_000_000) };
        CliOption<string> loss = new("--loss", "Loss, with or without hyperparameters: arcface(margin=0.4).", "NAME") { Default = "normface" };
        CliOption<int> threads = new("--threads", "Threads per step and process.") { Default = MpiJob.LocalProcessors };
        CliOption<int> steps = new("--steps", "Steps to time, and as many forward passes.") { Default = 15, Range = (1, 100_000) };
        CliOption<Precision> precision = new("--precision", "Precision of a step's convolutions.");
        CliOption<bool> synchronized = new("--sync-batch-norm", "Batch norms over the batches of all processes.");
        return CliCommand.Create("step", Description, [backbone, width, batch, classes, loss, threads, steps, precision, synchronized], (parsed, stop) =>
        {
            TrainOptions options = new()
            {
                Data = "",
                Loss = Loss.Parse(parsed.GetRequiredValue(loss)),
                Backbone = new BackboneSpec(parsed.GetRequiredValue(backbone), parsed.GetValue(width)),
                Batch = parsed.GetValue(batch) * MpiJob.LaunchedSize,
                Threads = parsed.GetValue(threads),
                Precision = parsed.GetValue(precision),
                SyncBatchNorm = parsed.GetValue(synchronized),
                ImagesPerPerson = 1,
                Warmup = 0,
            };
            int count = parsed.GetValue(steps);
            int people = parsed.GetValue(classes);
            HostAllocator.RetainFreedMemory();
            StepSpeed speed;
            using (ProgressMeter progress = new("timing", StepBenchmark.Count(count), "steps"))
            {
                speed = StepBenchmark.Run(options, people, count, () => progress.Add(), stop);
            }

            BackboneSpec network = options.Backbone;
            double trained = options.Batch * 1000 / speed.StepMs, inferred = options.Batch * 1000 / speed.InferMs;
            object json = new
            {
                backbone = network.Name,
                network.Width,
                batch = parsed.GetValue(batch),
                trainImagesPerSecond = trained,
                inferImagesPerSecond = inferred,
                options.Threads,
                precision = options.Precision.ToString().ToLowerInvariant(),
                classes = people,
                loss = options.Loss.Name,
                speed.Ranks,
                globalBatch = options.Batch,
                speed.StepMs,
                speed.FastestStepMs,
                phaseMs = speed.Phases.ToDictionary(phase => Camel(phase.Key), phase => phase.Value),
                traffic = speed.Traffic.ToDictionary(kind => Camel(kind.Key), kind => new { kind.Value.Calls, kind.Value.Bytes }),
                speed.CentersMb,
                speed.PeakMb,
            };
            parsed.Print(
                json,
                [
                    "backbone", "width", "batch", "ranks", "threads", "people", "loss", "step, ms", .. speed.Phases.Keys.Select(Camel),
                    "training, images/s", "inference, images/s",
                ],
                [[
                    network.Name, $"{network.Width}", $"{options.Batch}", $"{speed.Ranks}", $"{options.Threads}", $"{people:N0}", options.Loss.Name,
                    $"{speed.StepMs:F0}", .. speed.Phases.Values.Select(ms => $"{ms:F0}"), $"{trained:F1}", $"{inferred:F1}",
                ]]);
        });
    }

    private static string Camel<T>(T member)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(member.ToString());
}
