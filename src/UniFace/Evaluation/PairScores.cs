using System.Numerics;
using System.Runtime.InteropServices;

namespace UniFace.Evaluation;

/// <summary>How many pairs of a labelled set are scored.</summary>
public sealed record PairOptions
{
    /// <summary>Pairs of one person at most; where there are more, as many are drawn evenly over all.</summary>
    public int MaxSamePairs { get; init; } = 1_000_000;

    /// <summary>Pairs of two people at most; where there are more, about as many are drawn evenly over all.</summary>
    public int MaxDifferentPairs { get; init; } = 4_000_000;

    /// <summary>Seed of the drawing.</summary>
    public long Seed { get; init; } = 1;
}

/// <summary>
/// Scores everyone against everyone: from embeddings and labels to pairs of one person and of two. The
/// same pairs come for the same labels and seed, on any number of threads.
/// </summary>
public static class PairScores
{
    private const int RowBlock = 16;
    private const int ColumnBlock = 64;

    /// <summary>All pairs of a labelled set, or an even draw of them.</summary>
    /// <param name="embeddings">[N, D], row after row, each of norm 1.</param>
    /// <param name="dimension">D.</param>
    /// <param name="labels">[N], the person of each row, from 0.</param>
    /// <param name="options">How many; null for the defaults.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>Scored pairs with known people and no folds: first those of one person, then those of two.</returns>
    /// <exception cref="UniFaceException">Nobody has two pictures, or there is one person only.</exception>
    public static VerificationScores AllPairs(float[] embeddings, int dimension, IReadOnlyList<int> labels, PairOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        int count = labels.Count;
        if (embeddings.Length != (long)count * dimension)
        {
            throw new ArgumentException($"{embeddings.Length} values given for {count} x {dimension}.", nameof(embeddings));
        }

        PairOptions limits = options ?? new PairOptions();
        int[][] people = [.. Enumerable.Range(0, count).GroupBy(i => labels[i]).OrderBy(g => g.Key).Select(g => g.ToArray())];
        long all = (long)count * (count - 1) / 2;
        long same = people.Sum(p => (long)p.Length * (p.Length - 1) / 2);
        long different = all - same;
        if (same == 0 || different == 0)
        {
            throw new UniFaceException($"{count} pictures of {people.Length} people give {same} pairs of one person and {different} of two: both are needed, so give at least 2 people and 2 pictures of one of them");
        }

        List<(int A, int B)> samePairs = SamePairs(people, same, limits);
        (int A, int B)[] drawn = different > limits.MaxDifferentPairs ? DrawDifferent(labels, all, different, limits) : [];
        int total = checked(samePairs.Count + (drawn.Length > 0 ? drawn.Length : (int)different));
        double[] scores = new double[total];
        int[] first = new int[total];
        int[] second = new int[total];
        Fill(samePairs, 0);
        if (drawn.Length > 0)
        {
            Fill(drawn, samePairs.Count);
        }
        else
        {
            ScoreAllDifferent(embeddings, dimension, labels, samePairs.Count, scores, first, second, cancellation);
        }

        bool[] isSame = new bool[total];
        isSame.AsSpan(0, samePairs.Count).Fill(true);
        return new VerificationScores(scores, isSame, null, null, first, second);

        void Fill(IReadOnlyList<(int A, int B)> pairs, int offset) =>
            Parallel.For(0, pairs.Count, new ParallelOptions { CancellationToken = cancellation }, k =>
            {
                (int a, int b) = pairs[k];
                scores[offset + k] = Dot(embeddings.AsSpan(a * dimension, dimension), embeddings.AsSpan(b * dimension, dimension));
                first[offset + k] = labels[a];
                second[offset + k] = labels[b];
            });
    }

    private static List<(int A, int B)> SamePairs(int[][] people, long same, PairOptions limits)
    {
        EvenDraw draw = new(same, Math.Min(same, limits.MaxSamePairs), limits.Seed);
        List<(int A, int B)> pairs = [];
        long index = 0;
        foreach (int[] pictures in people)
        {
            for (int a = 0; a < pictures.Length; a++)
            {
                for (int b = a + 1; b < pictures.Length; b++)
                {
                    if (draw.Takes(index++))
                    {
                        pairs.Add((pictures[a], pictures[b]));
                    }
                }
            }
        }

        return pairs;
    }

    // Walks the upper triangle row by row, jumping from one drawn pair to the next.
    private static (int A, int B)[] DrawDifferent(IReadOnlyList<int> labels, long all, long different, PairOptions limits)
    {
        int count = labels.Count;
        long wanted = (long)(limits.MaxDifferentPairs / (double)different * all);
        EvenDraw draw = new(all, Math.Clamp(wanted, 1, all), limits.Seed + 1);
        List<(int A, int B)> pairs = [];
        int row = 0;
        long rowStart = 0; // index of the pair (row, row + 1)
        for (long index = draw.Current; index < all; index = draw.Advance())
        {
            while (index >= rowStart + count - 1 - row)
            {
                rowStart += count - 1 - row;
                row++;
            }

            int column = row + 1 + (int)(index - rowStart);
            if (labels[row] != labels[column])
            {
                pairs.Add((row, column));
            }
        }

        return [.. pairs];
    }

    private static void ScoreAllDifferent(float[] embeddings, int dimension, IReadOnlyList<int> labels, int offset, double[] scores, int[] first, int[] second, CancellationToken cancellation)
    {
        int count = labels.Count;
        int[] rowOffset = new int[count]; // where the pairs (row, column > row) of two people are written
        Dictionary<int, int> left = labels.GroupBy(l => l).ToDictionary(g => g.Key, g => g.Count());
        int next = offset;
        for (int row = 0; row < count; row++)
        {
            rowOffset[row] = next;
            next += count - row - left[labels[row]]--;
        }

        int blocks = (count + RowBlock - 1) / RowBlock;
        Parallel.For(0, blocks, new ParallelOptions { CancellationToken = cancellation }, block =>
        {
            int start = block * RowBlock;
            int end = Math.Min(count, start + RowBlock);
            int[] write = rowOffset[start..end];
            float[] products = new float[ColumnBlock];
            for (int columns = start; columns < count; columns += ColumnBlock)
            {
                for (int row = start; row < end; row++)
                {
                    int from = Math.Max(columns, row + 1);
                    int to = Math.Min(count, columns + ColumnBlock);
                    if (from >= to)
                    {
                        continue;
                    }

                    Dots(embeddings, dimension, row, from, to, products);
                    ref int at = ref write[row - start];
                    for (int column = from; column < to; column++)
                    {
                        if (labels[column] != labels[row])
                        {
                            scores[at] = products[column - from];
                            first[at] = labels[row];
                            second[at] = labels[column];
                            at++;
                        }
                    }
                }
            }
        });
    }

    // One row against columns [from, to): four at a time, so that each value of the row is loaded once for four products.
    private static void Dots(float[] embeddings, int dimension, int row, int from, int to, float[] products)
    {
        ReadOnlySpan<float> a = embeddings.AsSpan(row * dimension, dimension);
        int column = from;
        for (; column + 4 <= to; column += 4)
        {
            ReadOnlySpan<float> b = embeddings.AsSpan(column * dimension, 4 * dimension);
            Vector<float> s0 = Vector<float>.Zero, s1 = Vector<float>.Zero, s2 = Vector<float>.Zero, s3 = Vector<float>.Zero;
            ReadOnlySpan<Vector<float>> va = MemoryMarshal.Cast<float, Vector<float>>(a);
            ReadOnlySpan<Vector<float>> v0 = MemoryMarshal.Cast<float, Vector<float>>(b[..dimension]);
            ReadOnlySpan<Vector<float>> v1 = MemoryMarshal.Cast<float, Vector<float>>(b.Slice(dimension, dimension));
            ReadOnlySpan<Vector<float>> v2 = MemoryMarshal.Cast<float, Vector<float>>(b.Slice(2 * dimension, dimension));
            ReadOnlySpan<Vector<float>> v3 = MemoryMarshal.Cast<float, Vector<float>>(b.Slice(3 * dimension, dimension));
            for (int k = 0; k < va.Length; k++)
            {
                Vector<float> x = va[k];
                s0 = Vector.FusedMultiplyAdd(x, v0[k], s0);
                s1 = Vector.FusedMultiplyAdd(x, v1[k], s1);
                s2 = Vector.FusedMultiplyAdd(x, v2[k], s2);
                s3 = Vector.FusedMultiplyAdd(x, v3[k], s3);
            }

            float r0 = Vector.Sum(s0), r1 = Vector.Sum(s1), r2 = Vector.Sum(s2), r3 = Vector.Sum(s3);
            for (int k = va.Length * Vector<float>.Count; k < dimension; k++)
            {
                r0 += a[k] * b[k];
                r1 += a[k] * b[dimension + k];
                r2 += a[k] * b[2 * dimension + k];
                r3 += a[k] * b[3 * dimension + k];
            }

            products[column - from] = r0;
            products[column - from + 1] = r1;
            products[column - from + 2] = r2;
            products[column - from + 3] = r3;
        }

        for (; column < to; column++)
        {
            products[column - from] = (float)Dot(a, embeddings.AsSpan(column * dimension, dimension));
        }
    }

    /// <summary>The product of two embeddings: their cosine, where both have norm 1.</summary>
    internal static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Vector<float> sum = Vector<float>.Zero;
        ReadOnlySpan<Vector<float>> va = MemoryMarshal.Cast<float, Vector<float>>(a);
        ReadOnlySpan<Vector<float>> vb = MemoryMarshal.Cast<float, Vector<float>>(b);
        for (int k = 0; k < va.Length; k++)
        {
            sum = Vector.FusedMultiplyAdd(va[k], vb[k], sum);
        }

        float result = Vector.Sum(sum);
        for (int k = va.Length * Vector<float>.Count; k < a.Length; k++)
        {
            result += a[k] * b[k];
        }

        return result;
    }
}
