using System.Diagnostics;
using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery.Benchmarks;

/// <summary>How fast templates are enrolled into a gallery's file, and how fast it starts.</summary>
/// <param name="Size">Templates enrolled now.</param>
/// <param name="Dim">Values in an embedding.</param>
/// <param name="Batch">Templates a transaction.</param>
/// <param name="Seconds">For enrolling them all, each transaction on the disk before the next begins.</param>
/// <param name="TemplatesPerSecond">Their rate.</param>
/// <param name="Templates">Templates in the gallery then.</param>
/// <param name="StoreSeconds">For storing the index beside it.</param>
/// <param name="StartSeconds">From opening the gallery to the first answer, with the stored index.</param>
/// <param name="RebuildStartSeconds">The same without a stored index.</param>
public sealed record EnrolmentSpeed(int Size, int Dim, int Batch, double Seconds, double TemplatesPerSecond, long Templates, double StoreSeconds, double StartSeconds, double RebuildStartSeconds);

/// <summary>Times enrolment of random templates, a person each.</summary>
public static class EnrolmentBenchmark
{
    /// <summary>Contract id of the galleries that it makes.</summary>
    public const string ContractId = "bench";

    /// <summary>Runs it.</summary>
    /// <param name="path">The gallery's file; made if it is not there, enrolled into if it is.</param>
    /// <param name="size">Templates to enrol, 1 or more.</param>
    /// <param name="dimension">Values in an embedding.</param>
    /// <param name="batch">Templates a transaction.</param>
    /// <param name="key">To encrypt with; null for none.</param>
    /// <param name="acknowledged">Called when a transaction is on the disk, with how many templates it brought and the last one's id.</param>
    /// <param name="stop">Stops it.</param>
    public static async Task<EnrolmentSpeed> RunAsync(string path, int size, int dimension, int batch, GalleryKey? key = null, Action<int, long>? acknowledged = null, CancellationToken stop = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        if (!File.Exists(path))
        {
            SqliteGallery.Create(path, new GalleryInfo { ContractId = ContractId, EmbeddingSize = dimension }, key);
        }

        TimeSpan enrolling = TimeSpan.Zero, storing;
        long templates;
        BenchmarkRows rows = new(1, dimension);
        await using (SqliteGallery gallery = await SqliteGallery.OpenAsync(path, key, stop).ConfigureAwait(false))
        {
            long known = (await gallery.CountAsync(stop).ConfigureAwait(false)).Templates;
            for (int done = 0; done < size; done += batch)
            {
                Enrollment[] some = new Enrollment[Math.Min(batch, size - done)];
                long first = known + done;
                Parallel.For(0, some.Length, i =>
                {
                    float[] row = new float[dimension];
                    rows.Row(first + i, row);
                    some[i] = new Enrollment(FormattableString.Invariant($"person {first + i}"), row);
                });
                long start = Stopwatch.GetTimestamp();
                IReadOnlyList<long> ids = await gallery.EnrollAsync(some, gallery.Info.ContractId, stop).ConfigureAwait(false);
                enrolling += Stopwatch.GetElapsedTime(start);
                acknowledged?.Invoke(some.Length, ids[^1]);
            }

            templates = (await gallery.CountAsync(stop).ConfigureAwait(false)).Templates;
            long store = Stopwatch.GetTimestamp();
            await gallery.StoreIndexAsync(cancellationToken: stop).ConfigureAwait(false);
            storing = Stopwatch.GetElapsedTime(store);
        }

        double started = await StartAsync(path, rows, key, stop).ConfigureAwait(false);
        File.Delete(path + ".index");
        double restarted = await StartAsync(path, rows, key, stop).ConfigureAwait(false);
        return new EnrolmentSpeed(size, dimension, batch, Math.Round(enrolling.TotalSeconds, 3), Math.Round(size / enrolling.TotalSeconds, 1), templates, Math.Round(storing.TotalSeconds, 3), started, restarted);
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
