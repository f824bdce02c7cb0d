using System.Diagnostics;
using UniFace.Gallery.Index;
using UniFace.Gallery.Index.Search;

namespace UniFace.Gallery.Benchmarks;

/// <summary>How fast some queries at a time are answered, and how many answers are right.</summary>
/// <param name="Size">Rows searched.</param>
/// <param name="Dim">Values in a row.</param>
/// <param name="Queries">Queries answered at a time.</param>
/// <param name="MedianMs">Milliseconds for them all, the median of several goes.</param>
/// <param name="Qps">Queries a second at this speed.</param>
/// <param name="BytesPerRow">Bytes that a scan keeps and reads for a row.</param>
/// <param name="Exact">Share of the check queries whose best ten are brute force's: ids, order and scores to the last bit.</param>
public sealed record SearchSpeed(int Size, int Dim, int Queries, double MedianMs, double Qps, double BytesPerRow, double Exact);

/// <summary>Times the exact index on random rows and compares its answers with brute force.</summary>
public static class SearchBenchmark
{
    /// <summary>Queries whose answers are compared.</summary>
    public const int CheckQueries = 1000;

    private const int Best = 10, LeastGoes = 7, MostGoes = 101;
    private static readonly TimeSpan TimeFor = TimeSpan.FromSeconds(2);

    /// <summary>Runs it.</summary>
    /// <param name="size">Rows, 1 or more.</param>
    /// <param name="dimension">Values in a row, 1 or more.</param>
    /// <param name="queries">How many queries at a time, each to be measured.</param>
    /// <param name="threads">Cores; 0 for all.</param>
    /// <param name="seed">Seed of the rows.</param>
    /// <param name="progress">Called with what is being done, how much of it, and of how much; on several threads.</param>
    /// <param name="stop">Stops it.</param>
    public static IReadOnlyList<SearchSpeed> Run(int size, int dimension, IReadOnlyList<int> queries, int threads = 0, long seed = 1, Action<string, int, long>? progress = null, CancellationToken stop = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentNullException.ThrowIfNull(queries);
        BenchmarkRows rows = new(seed, dimension);
        using ExactIndex index = Fill(rows, size, progress, stop);
        (int Count, double Median)[] times = [.. queries.Select(q => (q, Time(index, Ask(rows, size, CheckQueries, q), threads, stop)))];
        float[] check = Ask(rows, size, 0, CheckQueries);
        IndexHit[][] expected = BruteForce.Search(rows, size, check, Best, done => progress?.Invoke("comparing with every row", done, size), stop);
        return [.. times.Select(t => new SearchSpeed(size, dimension, t.Count, Math.Round(t.Median, 3), Math.Round(t.Count / t.Median * 1000, 1), index.BytesPerRow, Right(index, check, expected, t.Count, threads, stop)))];
    }

    private static ExactIndex Fill(BenchmarkRows rows, int size, Action<string, int, long>? progress, CancellationToken stop)
    {
        ExactIndex index = new(rows.Dimension);
        try
        {
            Parallel.For(0, size, new ParallelOptions { CancellationToken = stop }, () => new float[rows.Dimension], (i, _, row) =>
            {
                rows.Row(i, row);
                index.Add(i, i, row);
                progress?.Invoke("filling the index", 1, size);
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

    private static float[] Ask(BenchmarkRows rows, int size, int first, int count)
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
        List<double> goes = [];
        index.Search(queries, Best, threads: threads, cancellationToken: stop);
        for (Stopwatch all = Stopwatch.StartNew(); goes.Count < LeastGoes || (goes.Count < MostGoes && all.Elapsed < TimeFor);)
        {
            long start = Stopwatch.GetTimestamp();
            index.Search(queries, Best, threads: threads, cancellationToken: stop);
            goes.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        goes.Sort();
        return goes[goes.Count / 2];
    }

    private static double Right(ExactIndex index, float[] check, IndexHit[][] expected, int together, int threads, CancellationToken stop)
    {
        int right = 0;
        for (int first = 0; first < expected.Length; first += together)
        {
            int some = Math.Min(together, expected.Length - first);
            IndexHit[][] hits = index.Search(check.AsSpan(first * index.Dimension, some * index.Dimension), Best, threads: threads, cancellationToken: stop);
            right += hits.Select((h, i) => h.AsSpan().SequenceEqual(expected[first + i]) ? 1 : 0).Sum();
        }

        return (double)right / expected.Length;
    }
}
