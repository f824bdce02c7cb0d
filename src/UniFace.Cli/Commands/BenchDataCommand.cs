using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using UniFace.Data;
using UniFace.Training.Backbones;
using UniFace.Training.Benchmarks;
using UniFace.Training.Data;
using UniFace.Training.Losses;
using UniFace.Training.Runs;
using UniFace.Vision;

namespace UniFace.Cli.Commands;

/// <summary>`uniface bench data`: how fast a set is decoded and augmented, and what that costs a training step.</summary>
internal static class BenchDataCommand
{
    public static Command Create()
    {
        Argument<string> data = new("DATA") { Description = "Aligned faces: a folder a person, a RecordIO set, or a tar of either." };
        Option<int> batch = new("--batch") { Description = "Pictures a batch.", DefaultValueFactory = _ => 64 };
        Option<int> threads = new("--threads") { Description = "Threads of a step; the loader has threads of its own.", DefaultValueFactory = _ => Environment.ProcessorCount };
        Option<string> augment = new("--augment") { Description = "How pictures are varied, as in 'uniface train'.", DefaultValueFactory = _ => AugmentOptions.Default.ToString() };
        Command command = new(
            "data",
            "Time the input pipeline: pictures a second of the loader alone, and how much longer a step of mobilefacenet x 0.5 takes with it than with random pictures in memory. " +
            "Every picture is decoded each time, as in a first epoch.\n\nExample: uniface bench data faces --json")
        {
            data, batch, threads, augment,
        };
        command.SetAction((parsed, cancellationToken) =>
        {
            string path = parsed.GetRequiredValue(data);
            AugmentOptions variation;
            try
            {
                variation = AugmentOptions.Parse(parsed.GetRequiredValue(augment));
            }
            catch (UniFaceException e)
            {
                throw new UniFaceException($"--augment: {e.Message}", e);
            }

            TrainOptions options = new()
            {
                Data = path,
                Loss = new UnifiedCrossEntropy(),
                Backbone = new BackboneSpec("mobilefacenet", 0.5),
                Batch = parsed.GetValue(batch),
                Threads = parsed.GetValue(threads),
                Augment = variation,
                ImagesPerPerson = 1,
                Warmup = 0,
            };
            using FaceDataset set = FaceDatasets.Open(path);
            DataSpeed speed;
            using (Progress progress = new("timing", DataBenchmark.RoundCount, "rounds"))
            {
                speed = DataBenchmark.Run(options, set, new SkiaImageDecoder(), () => progress.Add(), cancellationToken);
            }

            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(speed);
            }
            else
            {
                Table table = new Table().Border(TableBorder.Rounded).AddColumns("loader alone, images/s", "a step takes longer by");
                table.AddRow(speed.ImagesPerSecond.ToString("F0", CultureInfo.InvariantCulture), (100 * speed.StepOverhead).ToString("F1", CultureInfo.InvariantCulture) + " %");
                AnsiConsole.Write(table);
            }

            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }
}
