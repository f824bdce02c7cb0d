using System.Diagnostics;
using UniFace.Gallery.Index;
using UniFace.Gallery.Index.Search;

namespace UniFace.Benchmarks;

/// <summary>Speed and exactness of searches with some number of queries.</summary>
/// <param name="Size">Rows searched.</param>
/// <param name="Dim">Values per row.</param>
/// <param name="Queries">Queries per search.</param>
/// <param name="MedianMs">Milliseconds per search: the median of several.</param>
/// <param name="Qps">Queries per second.</param>
/// <param name="BytesPerRow">Bytes that a scan reads per row.</param>
/// <param name="Exact">Share of the check queries whose best ten equal those of brute force: ids, order and scores to the last bit.</param>
internal sealed record SearchSpeed(int Size, int Dim, int Queries, double MedianMs, double Qps, double BytesPerRow, double Exact);

/// <summary>Times the exact index on random rows and compares its answers with brute force.</summary>
internal static class SearchBenchmark
{
    private const int CheckQueries = 1000, Best = 10, MinRuns = 7, MaxRuns = 101;
    private static readonly TimeSpan MinDuration = TimeSpan.FromSeconds(2);

    /// <summary>Runs the benchmark.</summary>
    /// <param name="size">Number of rows.</param>
    /// <param name="dimension">Values per row.</param>
    /// <param name="queries">Numbers of queries per search, to be measured in turn.</param>
    /// <param name="threads">Number of threads; 0 for all cores.</param>
    /// <param name="seed">Seed of the rows.</param>
    /// <param name="progress">Called with the step, the newly finished count and the total, on several threads.</param>
    /// <param name="stop">Stops the benchmark.</param>
    public static IReadOnlyList<SearchSpeed> Run(
        int size, int dimension, IReadOnlyList<int> queries, int threads, long seed, Action<string, int, int> progress, CancellationToken stop)
    {
        BenchmarkRows rows = new(seed, dimension);
        using ExactIndex index = Fill(rows, size, progress, stop);
        (int Count, double Median)[] times = [.. queries.Select(q => (q, Time(index, CreateQueries(rows, size, CheckQueries, q), threads, stop)))];
        float[] check = CreateQueries(rows, size, 0, CheckQueries);
        IndexHit[][] expected = BruteForce.Search(rows, size, check, Best, done => progress("comparing with every row", done, size), stop);
        return
        [
            .. times.Select(t => new SearchSpeed(
                size,
                dimension,
                t.Count,
                Math.Round(t.Median, 3),
                Math.Round(t.Count / t.Median * 1000, 1),
                index.BytesPerRow,
                Exact(index, check, expected, t.Count, threads, stop))),
        ];
    }

    private static ExactIndex Fill(BenchmarkRows rows, int size, Action<string, int, int> progress, CancellationToken stop)
    {
        ExactIndex index = new(rows.Dimension);
        try
        {
            Parallel.For(0, size, new ParallelOptions { CancellationToken = stop }, () => new float[rows.Dimension], (i, _, row) =>
            {
                rows.Row(i, row);
                index.Add(i, i, row);
                progress("filling the index", 1, size);
                return row;
            }, _ => { });
            return index;
        }
        catch
        {
            index.Dispose();
            throw;
        }
    }

    private static float[] CreateQueries(BenchmarkRows rows, int size, int first, int count)
    {
        float[] queries = new float[count * rows.Dimension];
        for (int i = 0; i < count; i++)
        {
            rows.Query(first + i, size, queries.AsSpan(i * rows.Dimension, rows.Dimension));
        }

        return queries;
    }

    private static double Time(ExactIndex index, float[] queries, int threads, CancellationToken stop)
    {
        List<double> runs = [];
        index.Search(queries, Best, threads: threads, cancellationToken: stop);
        for (Stopwatch all = Stopwatch.StartNew(); runs.Count < MinRuns || (runs.Count < MaxRuns && all.Elapsed < MinDuration);)
        {
            long start = Stopwatch.GetTimestamp();
            index.Search(queries, Best, threads: threads, cancellationToken: stop);
            runs.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        runs.Sort();
        return runs[runs.Count / 2];
    }

    private static double Exact(ExactIndex index, float[] check, IndexHit[][] expected, int batchSize, int threads, CancellationToken stop)
    {
        int right = 0;
        for (int first = 0; first < expected.Length; first += batchSize)
        {
            int count = Math.Min(batchSize, expected.Length - first);
            IndexHit[][] hits = index.Search(check.AsSpan(first * index.Dimension, count * index.Dimension), Best, threads: threads, cancellationToken: stop);
            right += hits.Select((h, i) => h.AsSpan().SequenceEqual(expected[first + i]) ? 1 : 0).Sum();
        }

        return (double)right / expected.Length;
    }
}
