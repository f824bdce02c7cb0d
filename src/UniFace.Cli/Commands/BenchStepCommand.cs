using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using UniFace.IO;
using UniFace.Training.Backbones;
using UniFace.Training.Benchmarks;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Cli.Commands;

/// <summary>`uniface bench step`: images a second of a training step and of inference.</summary>
internal static class BenchStepCommand
{
    public static Command Create()
    {
        Option<string> backbone = new("--backbone") { Description = $"Network: {string.Join(", ", BackboneRegistry.Names)}.", DefaultValueFactory = _ => "mobilefacenet" };
        Option<double> width = new("--width") { Description = "Factor on the channels of mobilefacenet, 0.25 to 2.", DefaultValueFactory = _ => 1 };
        Option<int> batch = new("--batch") { Description = "Pictures a batch.", DefaultValueFactory = _ => 32 };
        Option<int> threads = new("--threads") { Description = "Threads of a step.", DefaultValueFactory = _ => Environment.ProcessorCount };
        Option<int> steps = new("--steps") { Description = "Steps timed, and as many forward passes.", DefaultValueFactory = _ => 15 };
        Option<string> precision = new("--precision") { Description = "What the convolutions of a training step multiply in.", DefaultValueFactory = _ => "float32" };
        precision.AcceptOnlyFromAmong("float32", "bfloat16");
        Command command = new(
            "step",
            string.Create(CultureInfo.InvariantCulture, $"Time whole training steps (a normalised softmax over {StepBenchmark.Classes} people, sgd) and inference on random pictures in memory: medians after a warm-up.\n\n") +
            "Example: uniface bench step --backbone iresnet18 --batch 16 --threads 2 --json")
        {
            backbone, width, batch, threads, steps, precision,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            TrainOptions options = new()
            {
                Data = "",
                Loss = new NormFace(),
                Backbone = new BackboneSpec(parsed.GetRequiredValue(backbone), parsed.GetValue(width)),
                Batch = parsed.GetValue(batch),
                Threads = parsed.GetValue(threads),
                Precision = Enum.Parse<Precision>(parsed.GetRequiredValue(precision), ignoreCase: true),
                ImagesPerPerson = 1,
                Warmup = 0,
            };
            int count = parsed.GetValue(steps);
            if (count is < 1 or > 100_000)
            {
                throw new UniFaceException(Text($"--steps {count}: expected 1 to 100000."));
            }

            HostAllocator.KeepFreed();
            StepSpeed speed;
            using (Progress progress = new("timing", StepBenchmark.Count(count), "steps"))
            {
                speed = StepBenchmark.Run(options, count, () => progress.Add(), cancellationToken);
            }

            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new
                {
                    backbone = speed.Backbone.Name,
                    width = speed.Backbone.Width,
                    batch = speed.Batch,
                    trainImagesPerSecond = speed.TrainImagesPerSecond,
                    inferImagesPerSecond = speed.InferImagesPerSecond,
                    threads = speed.Threads,
                    precision = parsed.GetValue(precision),
                });
            }
            else
            {
                Table table = new Table().Border(TableBorder.Rounded).AddColumns("backbone", "width", "batch", "threads", "training, images/s", "inference, images/s");
                table.AddRow(speed.Backbone.Name, Text($"{speed.Backbone.Width}"), Text($"{speed.Batch}"), Text($"{speed.Threads}"), Text($"{speed.TrainImagesPerSecond:F1}"), Text($"{speed.InferImagesPerSecond:F1}"));
                AnsiConsole.Write(table);
            }

            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
