using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using UniFace.Gallery.Index.Kernels;
using UniFace.Gallery.Index.Search;

namespace UniFace.Benchmarks;

/// <summary>
/// The reference for the index: scores every row with every query in double precision, as <see cref="ExactScore"/> defines it. Uses nothing of the
/// index except the order of answers.
/// </summary>
internal static class BruteForce
{
    private const int Block = 64, RowsPerStep = 4;

    /// <summary>The best <paramref name="k"/> rows of each query.</summary>
    /// <param name="rows">The rows; row i has id i.</param>
    /// <param name="count">The number of rows.</param>
    /// <param name="queries">[queries, D].</param>
    /// <param name="k">The number of rows to find.</param>
    /// <param name="progress">Called with the number of finished rows, on several threads.</param>
    /// <param name="stop">Stops the search.</param>
    public static IndexHit[][] Search(BenchmarkRows rows, int count, float[] queries, int k, Action<int>? progress = null, CancellationToken stop = default)
    {
        int size = rows.Dimension, padded = (size + 7) / 8 * 8, queryCount = queries.Length / size;
        double[] wide = Widen(queries, queryCount, size, padded);
        List<IndexHit>[] best = [.. Enumerable.Range(0, queryCount).Select(_ => new List<IndexHit>(k + 1))];
        Lock[] gates = [.. best.Select(_ => new Lock())];
        Parallel.For(0, (count + Block - 1) / Block, new ParallelOptions { CancellationToken = stop }, block =>
        {
            int first = block * Block, filled = Math.Min(Block, count - first);
            float[] values = new float[Block * size];
            for (int i = 0; i < filled; i++)
            {
                rows.Row(first + i, values.AsSpan(i * size, size));
            }

            double[] blockRows = Widen(values, Block, size, padded);
            double[] scores = new double[Block];
            for (int q = 0; q < queryCount; q++)
            {
                for (int i = 0; i < Block; i += RowsPerStep)
                {
                    Score(wide.AsSpan(q * padded, padded), blockRows.AsSpan(i * padded, RowsPerStep * padded), scores.AsSpan(i, RowsPerStep));
                }

                lock (gates[q])
                {
                    for (int i = 0; i < filled; i++)
                    {
                        AddHit(best[q], k, new IndexHit(first + i, first + i, scores[i]));
                    }
                }
            }

            progress?.Invoke(filled);
        });
        return [.. best.Select(b => b.ToArray())];
    }

    private static void AddHit(List<IndexHit> best, int k, IndexHit hit)
    {
        if (best.Count == k && hit.CompareTo(best[^1]) > 0)
        {
            return;
        }

        best.Insert(~best.BinarySearch(hit), hit);
        if (best.Count > k)
        {
            best.RemoveAt(k);
        }
    }

    // Padding with zeros adds +0 to a lane, which changes nothing.
    private static double[] Widen(ReadOnlySpan<float> values, int count, int size, int padded)
    {
        double[] wide = new double[count * padded];
        for (int r = 0; r < count; r++)
        {
            for (int i = 0; i < size; i++)
            {
                wide[(r * padded) + i] = values[(r * size) + i];
            }
        }

        return wide;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Score(ReadOnlySpan<double> query, ReadOnlySpan<double> rows, Span<double> scores)
    {
        ref double q = ref MemoryMarshal.GetReference(query);
        ref double r = ref MemoryMarshal.GetReference(rows);
        nuint size = (nuint)query.Length;
        Vector512<double> a = Vector512<double>.Zero, b = a, c = a, d = a;
        for (nuint i = 0; i < size; i += 8)
        {
            Vector512<double> x = Vector512.LoadUnsafe(ref q, i);
            a += x * Vector512.LoadUnsafe(ref r, i);
            b += x * Vector512.LoadUnsafe(ref r, size + i);
            c += x * Vector512.LoadUnsafe(ref r, (2 * size) + i);
            d += x * Vector512.LoadUnsafe(ref r, (3 * size) + i);
        }

        (scores[0], scores[1], scores[2], scores[3]) = (Total(a), Total(b), Total(c), Total(d));
    }

    private static double Total(Vector512<double> lanes) => lanes[0] + lanes[4] + (lanes[2] + lanes[6]) + (lanes[1] + lanes[5] + (lanes[3] + lanes[7]));
}
