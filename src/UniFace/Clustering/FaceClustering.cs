using UniFace.Evaluation;

namespace UniFace.Clustering;

/// <summary>How faces are grouped.</summary>
public sealed record ClusteringOptions
{
    /// <summary>Two groups become one where the mean cosine over all pairs of a face of the one and a face of the other is at least this.</summary>
    public required double Threshold { get; init; }

    /// <summary>
    /// Only faces that are this alike, or more, start a comparison of their groups; null for the threshold less 0.1. A lower one finds a
    /// few merges more, in more time and memory.
    /// </summary>
    public double? LinkThreshold { get; init; }

    /// <summary>Links kept a face, the most alike ones; bounds memory on a set of one person.</summary>
    public int MaxLinks { get; init; } = 64;
}

/// <summary>
/// Groups faces into people without being told how many there are: average linkage (UPGMA; Sokal and Michener 1958) on the graph of
/// alike pairs. Single linkage and Chinese whispers let one wrong pair merge two people, HDBSCAN and rank-order need each person to be dense and call
/// many small groups noise; average linkage merges two groups only where all their faces together are alike, which keeps people apart, the
/// costlier error. Because embeddings are unit vectors the mean cosine of two groups is the product of their sums by
/// their sizes, so every merge is judged over all pairs although only alike ones are kept. The result depends on nothing but
/// the faces: equal means are merged in the faces' order.
/// </summary>
public static class FaceClustering
{
    private const int RowBlock = 64;

    /// <summary>Groups faces.</summary>
    /// <param name="embeddings">[N, D], row after row, each of norm 1.</param>
    /// <param name="dimension">D.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>[N], the group of each face, numbered from 0 by size, the largest first, then by the first face.</returns>
    public static int[] Group(float[] embeddings, int dimension, ClusteringOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxLinks, 1, nameof(options));
        if (embeddings.Length % dimension != 0)
        {
            throw new ArgumentException($"{embeddings.Length} values are not rows of {dimension}.", nameof(embeddings));
        }

        if (options.Threshold is not (> -1 and <= 1))
        {
            throw new UniFaceException(FormattableString.Invariant($"a threshold of {options.Threshold} was asked for: expected a cosine above -1, up to 1."));
        }

        int count = embeddings.Length / dimension;
        List<(int Other, float Score)>[] links = Links(embeddings, dimension, count, options.LinkThreshold ?? (options.Threshold - 0.1), options.MaxLinks, cancellation);
        Merger merger = new(embeddings, dimension, count, options.Threshold);
        for (int face = 0; face < count; face++)
        {
            foreach ((int other, float score) in links[face])
            {
                merger.Link(face, other, score);
            }
        }

        return Numbered(merger.Run(cancellation));
    }

    // The most alike faces of each, those at least as alike as the limit; every pair is computed, a block of rows at a time.
    private static List<(int Other, float Score)>[] Links(float[] embeddings, int dimension, int count, double limit, int most, CancellationToken cancellation)
    {
        List<(int Other, float Score)>[] links = new List<(int, float)>[count];
        Parallel.For(0, (count + RowBlock - 1) / RowBlock, new ParallelOptions { CancellationToken = cancellation, MaxDegreeOfParallelism = Environment.ProcessorCount }, block =>
        {
            PriorityQueue<int, (float Score, int Order)> best = new();
            for (int row = block * RowBlock; row < Math.Min(count, (block + 1) * RowBlock); row++)
            {
                ReadOnlySpan<float> face = embeddings.AsSpan(row * dimension, dimension);
                for (int other = 0; other < count; other++)
                {
                    if (other == row)
                    {
                        continue;
                    }

                    float score = (float)PairScores.Dot(face, embeddings.AsSpan(other * dimension, dimension));
                    if (score >= limit)
                    {
                        best.Enqueue(other, (score, -other));
                        if (best.Count > most)
                        {
                            best.Dequeue(); // the least alike
                        }
                    }
                }

                List<(int, float)> kept = [];
                while (best.TryDequeue(out int other, out (float Score, int Order) rank))
                {
                    kept.Add((other, rank.Score));
                }

                links[row] = kept;
            }
        });
        return links;
    }

    private static int[] Numbered(int[] roots)
    {
        Dictionary<int, int> numbers = roots
            .Select((root, face) => (root, face))
            .GroupBy(r => r.root)
            .OrderByDescending(g => g.Count())
            .ThenBy(g => g.Min(r => r.face))
            .Select((g, number) => (g.Key, number))
            .ToDictionary(p => p.Key, p => p.number);
        return [.. roots.Select(root => numbers[root])];
    }

    /// <summary>Merges the two groups of the largest mean cosine until none reaches the threshold.</summary>
    private sealed class Merger
    {
        private readonly int dimension;
        private readonly double threshold;
        private readonly float[]?[] sums; // of the embeddings of a group; null for a group that went into another
        private readonly int[] sizes;
        private readonly int[] parents;
        private readonly HashSet<int>[] neighbours;
        private readonly PriorityQueue<(int A, int B, int SizeA, int SizeB), (double Score, int A, int B)> queue = new();

        public Merger(float[] embeddings, int dimension, int count, double threshold)
        {
            this.dimension = dimension;
            this.threshold = threshold;
            sums = [.. Enumerable.Range(0, count).Select(i => embeddings.AsSpan(i * dimension, dimension).ToArray())];
            sizes = [.. Enumerable.Repeat(1, count)];
            parents = [.. Enumerable.Range(0, count)];
            neighbours = [.. Enumerable.Range(0, count).Select(_ => new HashSet<int>())];
        }

        public void Link(int a, int b, double score)
        {
            if (neighbours[a].Add(b) | neighbours[b].Add(a))
            {
                Enqueue(Math.Min(a, b), Math.Max(a, b), score);
            }
        }

        public int[] Run(CancellationToken cancellation)
        {
            while (queue.TryDequeue(out (int A, int B, int SizeA, int SizeB) pair, out _))
            {
                cancellation.ThrowIfCancellationRequested();

                // A pair of groups that have grown since was queued anew.
                if (sums[pair.A] is not null && sums[pair.B] is not null && sizes[pair.A] == pair.SizeA && sizes[pair.B] == pair.SizeB)
                {
                    Merge(pair.A, pair.B);
                }
            }

            return [.. Enumerable.Range(0, parents.Length).Select(Root)];
        }

        private void Merge(int into, int from)
        {
            float[] sum = sums[into]!, other = sums[from]!;
            for (int i = 0; i < dimension; i++)
            {
                sum[i] += other[i];
            }

            sizes[into] += sizes[from];
            sums[from] = null;
            parents[from] = into;
            neighbours[into].UnionWith(neighbours[from]);
            neighbours[into].Remove(into);
            neighbours[into].Remove(from);
            neighbours[from].Clear();
            foreach (int neighbour in neighbours[into])
            {
                neighbours[neighbour].Remove(from);
                neighbours[neighbour].Add(into);
                double mean = PairScores.Dot(sum, sums[neighbour]) / ((double)sizes[into] * sizes[neighbour]);
                Enqueue(Math.Min(into, neighbour), Math.Max(into, neighbour), mean);
            }
        }

        private void Enqueue(int a, int b, double score)
        {
            if (score >= threshold)
            {
                queue.Enqueue((a, b, sizes[a], sizes[b]), (-score, a, b));
            }
        }

        private int Root(int face)
        {
            while (parents[face] != face)
            {
                face = parents[face] = parents[parents[face]];
            }

            return face;
        }
    }
}
