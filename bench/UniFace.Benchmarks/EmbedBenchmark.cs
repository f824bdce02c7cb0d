using System.Diagnostics;
using UniFace.Faces;
using UniFace.Vision.Onnx;

namespace UniFace.Benchmarks;

/// <summary>Times the embedding of random faces.</summary>
internal static class EmbedBenchmark
{
    /// <summary>The median time of a batch.</summary>
    public static TimeSpan Run(OnnxEmbedder embedder, int batch, int runs, CancellationToken stop)
    {
        RgbImage[] faces = [.. Enumerable.Range(0, batch).Select(i => Noise(embedder.InputSize, i))];
        embedder.Embed(faces);
        embedder.Embed(faces);
        TimeSpan[] times = new TimeSpan[runs];
        for (int i = 0; i < runs; i++)
        {
            stop.ThrowIfCancellationRequested();
            long start = Stopwatch.GetTimestamp();
            embedder.Embed(faces);
            times[i] = Stopwatch.GetElapsedTime(start);
        }

        return times.Order().ElementAt(runs / 2);
    }

    private static RgbImage Noise((int Width, int Height) size, int seed)
    {
        RgbImage image = new(size.Width, size.Height);
        new Random(seed).NextBytes(image.Pixels);
        return image;
    }
}
