using UniFace.Faces;
using UniFace.Training;
using UniFace.Training.Backbones;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Runs;
using UniFace.Vision.Imaging;

namespace UniFace.Studio.Tests;

/// <summary>Training runs for tests: files in the format of a run, and a run trained on noise.</summary>
internal static class FakeRun
{
    /// <summary>Writes a run of 4 epochs of 10 steps, of which some are trained; threshold and cosines rise, the loss falls.</summary>
    public static string Write(string runs, string name, int epochs, string loss = "uce", double start = 30)
    {
        string folder = Directory.CreateDirectory(Path.Combine(runs, name)).FullName;
        RunFolder.WriteInfo(folder, Info(Options("faces", loss, 4), 10));
        using MetricsLog log = new(folder, 0, -1);
        for (int epoch = 0; epoch <= epochs; epoch++)
        {
            for (int step = (10 * epoch) - 8; epoch > 0 && step <= 10 * epoch; step += 2)
            {
                log.Write(
                    new StepMetrics
                    {
                        Step = step,
                        Epoch = epoch,
                        Loss = start / (1 + (0.1 * step)),
                        Lr = 0.1 - (0.002 * step),
                        ImagesPerSecond = 40 + (step % 5),
                        GradNorm = 10 - (0.1 * step),
                        TargetCosine = 0.01 * step,
                        HardestNegativeCosine = 0.2,
                        Threshold = 0.1 + (0.005 * step),
                    });
            }

            log.Write(new EpochMetrics
            {
                Step = 10 * epoch,
                Epoch = epoch,
                Loss = start / (1 + epoch),
                Lr = 0.1,
                ImagesPerSecond = 40,
                TargetCosine = 0.1 * epoch,
                HardestNegativeCosine = 0.2,
                Threshold = 0.1 + (0.05 * epoch),
                TargetHistogram = Histogram(0.1 * epoch),
                HardestNegativeHistogram = Histogram(0.2),
                Validation = epoch == 0 ? null : new ValidationMetrics(0.2 * epoch, 0.9, 0.1, 1000),
            });
        }

        return folder;
    }

    /// <summary>Starts a real run on four people with three images each, without training it.</summary>
    public static string Start(string runs, string name, int epochs)
    {
        string data = Path.Combine(runs, "..", "noise-" + name);
        for (int person = 0; person < 4; person++)
        {
            Directory.CreateDirectory(Path.Combine(data, $"p{person}"));
            for (int photo = 0; photo < 3; photo++)
            {
                RgbImage image = new(112, 112);
                new Random((10 * person) + photo).NextBytes(image.Pixels);
                File.WriteAllBytes(Path.Combine(data, $"p{person}", $"{photo}.png"), ImageEncoder.Png(image));
            }
        }

        string folder = Path.Combine(runs, name);
        using Data.FaceDataset set = Data.FaceDatasets.Open(data);
        using Trainer trainer = Trainer.Create(folder, Options(Path.GetFullPath(data), "normface", epochs), set, validation: null);
        return folder;
    }

    private static TrainOptions Options(string data, string loss, int epochs) => new()
    {
        Data = data,
        Loss = Loss.Parse(loss),
        Backbone = new BackboneSpec("mobilefacenet", 0.25, 8),
        Epochs = epochs,
        Batch = 4,
        LogEvery = 1,
        Warmup = 0,
        LearningRate = 0.01,
        Threads = 1,
    };

    private static RunInfo Info(TrainOptions options, int steps) => new()
    {
        ToolVersion = "0.1.0",
        Started = DateTime.UtcNow.AddHours(-1),
        Options = options,
        DataHash = new string('0', 64),
        People = 20,
        Images = 40,
        HeldOut = ["Ann", "Bob"],
        StepsPerEpoch = steps,
    };

    private static long[] Histogram(double around) =>
        [.. Enumerable.Range(0, 80).Select(i => (long)(100 * Math.Exp(-Math.Pow(((i - 40) / 40.0 - around) / 0.1, 2))))];
}
