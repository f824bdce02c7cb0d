using System.CommandLine;
using UniFace.CommandLine.Options;
using UniFace.CommandLine.Terminal;
using UniFace.Vision;

namespace UniFace.Benchmarks.Commands;

/// <summary>`uniface bench embed`: aligned faces per second that a package embeds.</summary>
internal static class BenchEmbedCommand
{
    private const string Description = """
        Time the embedding of random faces, from pixels to unit vectors.
        Example: uniface bench embed faceplugin-mobilefacenet --batch 32
        """;

    public static Command Create()
    {
        CliOption<int> batch = new("--batch", "Faces per batch.") { Default = 32, Range = (1, 4096) };
        CliOption<int> runs = new("--runs", "Batches to time; the result is their median.") { Default = 15, Range = (1, 100_000) };
        VisionOptions vision = new();
        return CliCommand.Create("embed", Description, [vision.Package, batch, runs, vision.Threads, .. vision.Model], (parsed, stop) =>
        {
            int size = parsed.GetValue(batch);
            using FaceRecognizer recognizer = vision.Open(parsed);
            TimeSpan median = EmbedBenchmark.Run(recognizer.Embedder, size, parsed.GetValue(runs), stop);
            double rate = Math.Round(size / median.TotalSeconds, 1), milliseconds = median.TotalMilliseconds;
            parsed.Print(
                new
                {
                    package = parsed.GetValue(vision.Package),
                    batch = size,
                    threads = vision.ThreadCount(parsed),
                    medianMs = Math.Round(milliseconds, 3),
                    imagesPerSecond = rate,
                },
                $"{rate} faces/s, {milliseconds:F1} ms per batch of {size}");
        });
    }
}
