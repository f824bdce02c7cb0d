using System.CommandLine;
using UniFace.CommandLine.Options;
using UniFace.CommandLine.Terminal;
using UniFace.Data;
using UniFace.Training.Backbones;
using UniFace.Training.Data;
using UniFace.Training.Losses;
using UniFace.Training.Runs;
using UniFace.Vision.Imaging;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench data`: speed of the input pipeline, and what it costs a training step.</summary>
internal static class BenchDataCommand
{
    private const string Description = """
        Time the input pipeline. Measures images per second of the loader alone, and how much longer a step of mobilefacenet x 0.5 takes with it than
        with random images in memory. Every image is decoded each time, as in a first epoch.
        Example: uniface bench data faces --json
        """;

    public static Command Create()
    {
        Argument<string> data = new("DATA") { Description = CommonOptions.AlignedFaces };
        CliOption<int> batch = new("--batch", "Images per batch.") { Default = 64 };
        CliOption<int> threads = new("--threads", "Threads per step; the loader has threads of its own.") { Default = Environment.ProcessorCount };
        CliOption<string> augment = new("--augment", "Augmentation, as in 'uniface train'.") { Default = AugmentOptions.Default.ToString() };
        CliOption<double> seconds = new("--seconds", "Time of each measurement; there are 13.") { Default = 2, Range = (0.1, 3600) };
        return CliCommand.Create("data", Description, [data, batch, threads, augment, seconds], (parsed, stop) =>
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
            using (ProgressMeter progress = new("timing", DataBenchmark.RoundCount, "rounds"))
            {
                speed = DataBenchmark.Run(options, set, new SkiaImageDecoder(), TimeSpan.FromSeconds(parsed.GetValue(seconds)), () => progress.Add(), stop);
            }

            parsed.Print(speed, ["loader alone, images/s", "step takes longer by"], [[$"{speed.ImagesPerSecond:F0}", $"{100 * speed.StepOverhead:F1} %"]]);
        });
    }
}
