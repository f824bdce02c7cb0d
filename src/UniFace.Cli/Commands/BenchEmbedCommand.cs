using System.CommandLine;
using System.Diagnostics;
using UniFace.Faces;
using UniFace.Vision;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Commands;

/// <summary>uniface bench embed: how many aligned faces a second a package embeds.</summary>
internal static class BenchEmbedCommand
{
    public static Command Create()
    {
        Argument<string> package = new("PACKAGE") { Description = "A model package (folder, name of 'uniface models list', or a bare .onnx file)." };
        Option<int> batch = new("--batch") { Description = "Faces a batch.", DefaultValueFactory = _ => 32, HelpName = "N" };
        Option<int> runs = new("--runs") { Description = "Batches that are timed; the median counts.", DefaultValueFactory = _ => 15, HelpName = "N" };
        VisionOptions vision = new();
        Command command = new("embed", "Time the embedding of random faces, pixels to unit vectors.\nExample: uniface bench embed faceplugin-mobilefacenet --batch 32") { package, batch, runs };
        command.Add(vision.Threads);
        vision.AddModel(command);
        command.SetAction((parsed, stop) =>
        {
            int size = parsed.GetValue(batch), repeats = parsed.GetValue(runs);
            if (size is < 1 or > 4096 || repeats is < 1 or > 100_000)
            {
                throw new UniFaceException(FormattableString.Invariant($"--batch {size} --runs {repeats}: expected 1 to 4096 faces and 1 to 100000 runs."));
            }

            using FaceRecognizer recognizer = vision.Open(parsed, parsed.GetRequiredValue(package));
            OnnxEmbedder embedder = recognizer.Embedder;
            RgbImage[] faces = [.. Enumerable.Range(0, size).Select(i => Noise(embedder.InputSize, i))];
            embedder.Embed(faces);
            embedder.Embed(faces);
            double[] seconds = new double[repeats];
            for (int i = 0; i < repeats; i++)
            {
                stop.ThrowIfCancellationRequested();
                long start = Stopwatch.GetTimestamp();
                embedder.Embed(faces);
                seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
            }

            double median = seconds.Order().ElementAt(repeats / 2);
            double rate = Math.Round(size / median, 1);
            if (parsed.GetValue(CommonOptions.Json))
            {
                Output.Json(new { package = parsed.GetRequiredValue(package), batch = size, threads = vision.ThreadCount(parsed), medianMs = Math.Round(median * 1000, 3), imagesPerSecond = rate });
            }
            else
            {
                Console.WriteLine(FormattableString.Invariant($"{rate} faces/s, {median * 1000:F1} ms a batch of {size}"));
            }

            return Task.FromResult(ExitCode.Success);
        });
        return command;
    }

    private static RgbImage Noise((int Width, int Height) size, int seed)
    {
        RgbImage image = new(size.Width, size.Height);
        SeededRandom random = new(seed);
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = (byte)(256 * random.NextDouble());
        }

        return image;
    }
}
