using System.Diagnostics;
using UniFace.Gallery;
using UniFace.Gallery.Sqlite;

namespace UniFace.Benchmarks;

/// <summary>Speed of enrollment into a gallery file, and of opening it.</summary>
/// <param name="Size">Templates enrolled.</param>
/// <param name="Dim">Values per embedding.</param>
/// <param name="Batch">Templates per transaction.</param>
/// <param name="Seconds">Time to enroll them, with each transaction on the disk before the next begins.</param>
/// <param name="TemplatesPerSecond">Their rate.</param>
/// <param name="Templates">Templates in the gallery afterwards.</param>
/// <param name="StoreSeconds">Time to store the index.</param>
/// <param name="StartSeconds">Time from opening the gallery to the first answer, with the stored index.</param>
/// <param name="RebuildStartSeconds">The same without a stored index.</param>
internal sealed record EnrollmentSpeed(
    int Size,
    int Dim,
    int Batch,
    double Seconds,
    double TemplatesPerSecond,
    long Templates,
    double StoreSeconds,
    double StartSeconds,
    double RebuildStartSeconds);

/// <summary>Times enrollment of random templates, one person each.</summary>
internal static class EnrollmentBenchmark
{
    private const string ContractId = "bench";

    /// <summary>Runs the benchmark.</summary>
    /// <param name="path">The gallery file; created if missing.</param>
    /// <param name="size">Templates to enroll.</param>
    /// <param name="dimension">Values per embedding.</param>
    /// <param name="batch">Templates per transaction.</param>
    /// <param name="key">The encryption key, or null.</param>
    /// <param name="acknowledged">Called when a transaction is on the disk, with its number of templates and the id of the last.</param>
    /// <param name="stop">Stops the benchmark.</param>
    public static async Task<EnrollmentSpeed> RunAsync(
        string path, int size, int dimension, int batch, GalleryKey? key, Action<int, long> acknowledged, CancellationToken stop)
    {
        if (!File.Exists(path))
        {
            SqliteGallery.Create(path, new GalleryInfo { ContractId = ContractId, EmbeddingSize = dimension }, key);
        }

        TimeSpan enrolling = TimeSpan.Zero, storing;
        long templates;
        BenchmarkRows rows = new(1, dimension);
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path, key, stop).ConfigureAwait(false))
        {
            long existing = (await gallery.CountAsync(stop).ConfigureAwait(false)).Templates;
            for (int done = 0; done < size; done += batch)
            {
                Enrollment[] chunk = new Enrollment[Math.Min(batch, size - done)];
                long first = existing + done;
                Parallel.For(0, chunk.Length, i =>
                {
                    float[] row = new float[dimension];
                    rows.Row(first + i, row);
                    chunk[i] = new Enrollment(FormattableString.Invariant($"person {first + i}"), row);
                });
                long start = Stopwatch.GetTimestamp();
                IReadOnlyList<long> ids = await gallery.EnrollAsync(chunk, gallery.Info.ContractId, stop).ConfigureAwait(false);
                enrolling += Stopwatch.GetElapsedTime(start);
                acknowledged(chunk.Length, ids[^1]);
            }

            templates = (await gallery.CountAsync(stop).ConfigureAwait(false)).Templates;
            long store = Stopwatch.GetTimestamp();
            await gallery.StoreIndexAsync(cancellationToken: stop).ConfigureAwait(false);
            storing = Stopwatch.GetElapsedTime(store);
        }

        double started = await StartAsync(path, rows, key, stop).ConfigureAwait(false);
        File.Delete(path + ".index");
        double restarted = await StartAsync(path, rows, key, stop).ConfigureAwait(false);
        double seconds = Math.Round(enrolling.TotalSeconds, 3), rate = Math.Round(size / enrolling.TotalSeconds, 1);
        return new EnrollmentSpeed(size, dimension, batch, seconds, rate, templates, Math.Round(storing.TotalSeconds, 3), started, restarted);
    }

    private static async Task<double> StartAsync(string path, BenchmarkRows rows, GalleryKey? key, CancellationToken stop)
    {
        float[] probe = new float[rows.Dimension];
        rows.Query(1, 1, probe);
        long start = Stopwatch.GetTimestamp();
        await using SqliteGallery gallery = await SqliteGallery.OpenAsync(path, key, stop).ConfigureAwait(false);
        await gallery.SearchAsync(probe, gallery.Info.ContractId, 1, stop).ConfigureAwait(false);
        return Math.Round(Stopwatch.GetElapsedTime(start).TotalSeconds, 3);
    }
}
