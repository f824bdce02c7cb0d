using System.Diagnostics;
using System.Globalization;
using UniFace.Gallery;
using UniFace.Gallery.Shards;
using UniFace.Gallery.Sqlite;

namespace UniFace.Benchmarks.Galleries;

/// <summary>Searches by one process with all threads, against several processes that share the rows and the threads.</summary>
/// <param name="Size">Templates.</param>
/// <param name="Dim">Values per template.</param>
/// <param name="Queries">Probes per search.</param>
/// <param name="Processes">Number of processes.</param>
/// <param name="OneMs">Milliseconds per search of one process: the median of several.</param>
/// <param name="SeveralMs">The same of the several processes, measured in turn with the one.</param>
/// <param name="Ratio">The several against the one.</param>
/// <param name="Equal">True if every answer was the same: people, scores and order.</param>
internal sealed record ShardSpeed(int Size, int Dim, int Queries, int Processes, double OneMs, double SeveralMs, double Ratio, bool Equal);

/// <summary>Compares a gallery file in one process with the same file in several.</summary>
internal static class ShardBenchmark
{
    private const int Batch = 10_000, Best = 10, Runs = 21, WarmUp = 2;

    /// <summary>Runs the benchmark.</summary>
    /// <param name="path">The gallery file to create.</param>
    /// <param name="size">Templates, one person each.</param>
    /// <param name="dimension">Values per template.</param>
    /// <param name="processes">Number of processes.</param>
    /// <param name="queries">Numbers of probes per search, measured in turn.</param>
    /// <param name="progress">Called with the newly enrolled and the total number of templates.</param>
    /// <param name="stop">Stops it.</param>
    public static async Task<IReadOnlyList<ShardSpeed>> RunAsync(
        string path, int size, int dimension, int processes, IReadOnlyList<int> queries, Action<int, int> progress, CancellationToken stop)
    {
        BenchmarkRows rows = new(1, dimension);
        SqliteGallery.Create(path, new GalleryInfo { ContractId = "bench", EmbeddingSize = dimension });
        await using SqliteGallery one = await SqliteGallery.OpenAsync(path, cancellationToken: stop).ConfigureAwait(false);
        for (int done = 0; done < size; done += Batch)
        {
            Enrollment[] chunk = new Enrollment[Math.Min(Batch, size - done)];
            Parallel.For(0, chunk.Length, i =>
            {
                float[] row = new float[dimension];
                rows.Row(done + i, row);
                chunk[i] = new Enrollment(string.Create(CultureInfo.InvariantCulture, $"person {done + i}"), row);
            });
            await one.EnrollAsync(chunk, one.Info.ContractId, stop).ConfigureAwait(false);
            progress(chunk.Length, size);
        }

        await one.StoreIndexAsync(cancellationToken: stop).ConfigureAwait(false);
        await using SqliteGallery several = await ShardedGalleries.OpenAsync(path, null, processes, stop: stop).ConfigureAwait(false);
        List<ShardSpeed> speeds = [];
        foreach (int count in queries)
        {
            List<double> alone = [], together = [];
            bool equal = true;
            for (int run = -WarmUp; run < Runs; run++)
            {
                float[] probes = new float[count * dimension];
                for (int i = 0; i < count; i++)
                {
                    rows.Query(((run + WarmUp) * count) + i, size, probes.AsSpan(i * dimension, dimension));
                }

                (IReadOnlyList<IReadOnlyList<GalleryCandidate>> first, double oneTime) = await TimeAsync(one, probes).ConfigureAwait(false);
                (IReadOnlyList<IReadOnlyList<GalleryCandidate>> second, double severalTime) = await TimeAsync(several, probes).ConfigureAwait(false);
                equal &= first.Zip(second).All(p => p.First.SequenceEqual(p.Second));
                if (run >= 0)
                {
                    alone.Add(oneTime);
                    together.Add(severalTime);
                }
            }

            (double a, double b) = (Median(alone), Median(together));
            speeds.Add(new ShardSpeed(size, dimension, count, processes, Math.Round(a, 2), Math.Round(b, 2), Math.Round(b / a, 3), equal));
        }

        return speeds;

        async Task<(IReadOnlyList<IReadOnlyList<GalleryCandidate>> Found, double Milliseconds)> TimeAsync(SqliteGallery gallery, float[] probes)
        {
            long start = Stopwatch.GetTimestamp();
            IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await gallery.SearchAsync(probes, gallery.Info.ContractId, Best, stop).ConfigureAwait(false);
            return (found, Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
    }

    private static double Median(List<double> times)
    {
        times.Sort();
        return times[times.Count / 2];
    }
}
