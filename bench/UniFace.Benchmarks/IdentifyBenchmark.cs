using System.Diagnostics;
using UniFace.Data;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Vision;
using UniFace.Vision.Onnx;

namespace UniFace.Benchmarks;

/// <summary>A duration over all photos, in milliseconds.</summary>
internal sealed record Latency(double MedianMs, double P95Ms);

/// <summary>Counts and times of an identification benchmark.</summary>
/// <param name="Photos">Photos timed.</param>
/// <param name="Faces">Photos with a face.</param>
/// <param name="Matches">Photos of an enrolled person, by the threshold.</param>
/// <param name="Total">Time from photo to decision.</param>
/// <param name="FullDecode">Time to decode the photo in its full size, for comparison: a JPEG is decoded only as far as it is used.</param>
/// <param name="Parts">Time of each part.</param>
internal sealed record IdentifySpeed(
    int Photos, int Faces, int Matches, Latency Total, Latency FullDecode, IReadOnlyDictionary<string, Latency> Parts);

/// <summary>Times identification from photo to decision, one photo after the other.</summary>
internal static class IdentifyBenchmark
{
    private static readonly string[] Parts = ["decode", "find", "embed", "search"];

    /// <summary>Photos before the first that is timed.</summary>
    public const int WarmUp = 5;

    /// <summary>Times evenly spread photos of a set.</summary>
    public static async Task<IdentifySpeed> RunAsync(
        PhotoSet photos, int count, FaceRecognizer recognizer, IGallery gallery, double threshold, Action done, CancellationToken stop)
    {
        FacePipeline pipeline = recognizer.Photos;
        OnnxEmbedder embedder = recognizer.Embedder;
        int faces = 0, matches = 0;
        List<double[]> times = [];
        for (int i = -WarmUp; i < count; i++)
        {
            stop.ThrowIfCancellationRequested();
            int photo = (int)((long)Math.Max(i, 0) * photos.Names.Count / count);
            byte[] file = photos.Read(photo);
            long[] at = new long[Parts.Length + 1];
            at[0] = Stopwatch.GetTimestamp();
            Photo image = recognizer.Decoder.OpenPhoto(file, photos.Names[photo]);
            at[1] = Stopwatch.GetTimestamp();
            AlignedFace? face = pipeline.Align(image);
            at[2] = at[3] = at[4] = Stopwatch.GetTimestamp();
            Identification? answer = null;
            if (face is not null)
            {
                float[] embedding = embedder.Embed([face.Image]);
                at[3] = Stopwatch.GetTimestamp();
                answer = await gallery.IdentifyAsync(embedding, recognizer.ContractId, threshold, 5, stop).ConfigureAwait(false);
                at[4] = Stopwatch.GetTimestamp();
            }

            long full = Stopwatch.GetTimestamp();
            if ((long)image.Width * image.Height <= recognizer.Decoder.MaxPixels)
            {
                _ = recognizer.Decoder.Decode(file, photos.Names[photo]);
            }

            double decoded = Milliseconds(full, Stopwatch.GetTimestamp());
            if (i >= 0)
            {
                times.Add([.. Enumerable.Range(0, Parts.Length).Select(p => Milliseconds(at[p], at[p + 1])), Milliseconds(at[0], at[^1]), decoded]);
                faces += face is null ? 0 : 1;
                matches += answer is { IsMatch: true } ? 1 : 0;
            }

            done();
        }

        Dictionary<string, Latency> parts = Parts.Index().ToDictionary(p => p.Item, p => Summarize(times, p.Index));
        return new IdentifySpeed(count, faces, matches, Summarize(times, Parts.Length), Summarize(times, Parts.Length + 1), parts);
    }

    private static double Milliseconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalMilliseconds;

    private static Latency Summarize(List<double[]> times, int part)
    {
        double[] each = [.. times.Select(t => t[part]).Order()];
        return new Latency(Quantile(0.5), Quantile(0.95));

        double Quantile(double share) => Math.Round(each[(int)Math.Ceiling(share * each.Length) - 1], 2);
    }
}
