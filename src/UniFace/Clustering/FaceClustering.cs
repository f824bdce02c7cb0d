namespace UniFace.Clustering;

/// <summary>How faces are grouped.</summary>
internal sealed record ClusteringOptions
{
    /// <summary>Two groups are merged if the mean cosine over all pairs of their faces is at least this.</summary>
    public required double Threshold { get; init; }

    /// <summary>
    /// Only faces with at least this cosine start a comparison of their groups; null for the threshold minus 0.1. A lower value finds a few
    /// more merges and needs more time and memory.
    /// </summary>
    public double? LinkThreshold { get; init; }

    /// <summary>Most similar links kept per face; bounds memory for a set of one person.</summary>
    public int MaxLinks { get; init; } = 64;
}

/// <summary>
/// Groups faces into people, whose number is unknown: average linkage (UPGMA; Sokal and Michener 1958) on the graph of similar pairs. In
/// single linkage and Chinese whispers one wrong pair merges two people; HDBSCAN and rank-order need dense people and treat many small
/// groups as noise. Average linkage merges two groups only if all their faces are similar on average, so it rarely merges people, the
/// costlier error. Embeddings are unit vectors, so the mean cosine of two groups is the product of their sums divided by their sizes: every
/// merge is decided over all pairs, although only similar ones are kept. The result is deterministic: ties are merged in the order of faces.
/// </summary>
internal static class FaceClustering
{
    private const int RowBlock = 64;

    /// <summary>Groups faces.</summary>
    /// <param name="faces">[N, D], the embeddings; all are found.</param>
    /// <param name="options">How to group them.</param>
    /// <param name="cancellationToken">Cancels the computation.</param>
    /// <returns>[N], the group of each face, numbered from 0 by size, the largest first, then by the first face.</returns>
    public static int[] Group(EmbeddedFaces faces, ClusteringOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxLinks, 1, nameof(options));
        if (options.Threshold is not (> -1 and <= 1))
        {
            throw new UniFaceException(Invariant(
                $"the threshold {options.Threshold} is out of range: expected a cosine above -1, up to 1"));
        }

        double limit = options.LinkThreshold ?? options.Threshold - 0.1;
        List<(int Other, float Score)>[] links = Links(faces, limit, options.MaxLinks, cancellationToken);
        Merger merger = new(faces, options.Threshold);
        for (int face = 0; face < faces.Count; face++)
        {
            foreach ((int other, float score) in links[face])
            {
                merger.Link(face, other, score);
            }
        }

        return NumberBySize(merger.Run(cancellationToken));
    }

    // The most similar faces of each face, at or above the limit; every pair is computed, a block of rows at a time.
    private static List<(int Other, float Score)>[] Links(EmbeddedFaces faces, double limit, int most, CancellationToken cancellationToken)
    {
        int count = faces.Count;
        List<(int Other, float Score)>[] links = new List<(int, float)>[count];
        ParallelLoop.RunRanges(count, RowBlock, FindLinks, cancellationToken);
        return links;

        void FindLinks(int start, int end)
        {
            PriorityQueue<int, (float Score, int Order)> best = new();
            for (int row = start; row < end; row++)
            {
                ReadOnlySpan<float> face = faces.Row(row);
                for (int other = 0; other < count; other++)
                {
                    if (other == row)
                    {
                        continue;
                    }

                    float score = (float)CosineSimilarity.Dot(face, faces.Row(other));
                    if (score >= limit)
                    {
                        best.Enqueue(other, (score, -other));
                        if (best.Count > most)
                        {
                            best.Dequeue(); // the least similar
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
        }
    }

    private static int[] NumberBySize(int[] roots)
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

    /// <summary>Merges the two groups with the largest mean cosine until none reaches the threshold.</summary>
    private sealed class Merger
    {
        private readonly double threshold;
        private readonly float[]?[] sums; // of the embeddings of a group; null after it was merged into another
        private readonly int[] sizes;
        private readonly int[] parents;
        private readonly HashSet<int>[] neighbors;
        private readonly PriorityQueue<(int A, int B, int SizeA, int SizeB), (double Score, int A, int B)> queue = new();

        public Merger(EmbeddedFaces faces, double threshold)
        {
            this.threshold = threshold;
            parents = [.. Enumerable.Range(0, faces.Count)];
            sums = [.. parents.Select(face => faces.Row(face).ToArray())];
            sizes = [.. parents.Select(_ => 1)];
            neighbors = [.. parents.Select(_ => new HashSet<int>())];
        }

        public void Link(int a, int b, double score)
        {
            if (neighbors[a].Add(b) | neighbors[b].Add(a))
            {
                Enqueue(Math.Min(a, b), Math.Max(a, b), score);
            }
        }

        public int[] Run(CancellationToken cancellationToken)
        {
            while (queue.TryDequeue(out (int A, int B, int SizeA, int SizeB) pair, out _))
            {
                cancellationToken.ThrowIfCancellationRequested();

                // Groups that have grown since then were queued again.
                if (sums[pair.A] is not null && sums[pair.B] is not null && sizes[pair.A] == pair.SizeA && sizes[pair.B] == pair.SizeB)
                {
                    Merge(pair.A, pair.B);
                }
            }

            return [.. Enumerable.Range(0, parents.Length).Select(Root)];
        }

        private void Merge(int into, int from)
        {
            float[] sum = sums[into]!;
            TensorPrimitives.Add(sum, sums[from], sum);
            sizes[into] += sizes[from];
            sums[from] = null;
            parents[from] = into;
            neighbors[into].UnionWith(neighbors[from]);
            neighbors[into].Remove(into);
            neighbors[into].Remove(from);
            neighbors[from].Clear();
            foreach (int neighbor in neighbors[into])
            {
                neighbors[neighbor].Remove(from);
                neighbors[neighbor].Add(into);
                double mean = CosineSimilarity.Dot(sum, sums[neighbor]) / ((double)sizes[into] * sizes[neighbor]);
                Enqueue(Math.Min(into, neighbor), Math.Max(into, neighbor), mean);
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
