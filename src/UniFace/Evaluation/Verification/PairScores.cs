namespace UniFace.Evaluation.Verification;

/// <summary>
/// Scores everyone against everyone: from embeddings and labels to mated and non-mated pairs. The pairs depend only on labels and seed, not
/// on the number of threads.
/// </summary>
internal static class PairScores
{
    private const int RowBlock = 16;
    private const int ColumnBlock = 64;

    /// <summary>Scores all pairs of a labeled set, or an even draw of them.</summary>
    /// <param name="faces">[N, D], the embeddings; all are found.</param>
    /// <param name="labels">[N], the person of each face, from 0.</param>
    /// <param name="options">Limits of the pairs; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the computation.</param>
    /// <returns>Scored pairs with known people and no folds: first the mated ones, then the non-mated ones.</returns>
    /// <exception cref="UniFaceException">No person has two images, or there is only one person.</exception>
    public static VerificationScores AllPairs(
        EmbeddedFaces faces, IReadOnlyList<int> labels, PairOptions? options = null, CancellationToken cancellationToken = default)
    {
        int count = faces.Count;
        PairOptions limits = options ?? new PairOptions();
        int[][] people = [.. Enumerable.Range(0, count).GroupBy(i => labels[i]).OrderBy(g => g.Key).Select(g => g.ToArray())];
        long all = (long)count * (count - 1) / 2;
        long same = people.Sum(p => (long)p.Length * (p.Length - 1) / 2);
        long different = all - same;
        if (same == 0 || different == 0)
        {
            throw new UniFaceException(
                $"{count} images of {people.Length} people give {same} pairs of one person and {different} of two: " +
                "both are needed, so give at least 2 people and 2 images of one of them");
        }

        List<(int A, int B)> samePairs =
        [
            .. people.SelectMany(SamePairs)
                .DrawEvenly(same, Math.Min(same, limits.MaxSamePairs), new SeededRandom(limits.Seed, RandomStream.MatedPairs)),
        ];
        List<(int A, int B)>? drawn = different > limits.MaxDifferentPairs ? DrawDifferent(labels, all, different, limits) : null;
        int total = checked(samePairs.Count + (drawn?.Count ?? (int)different));
        double[] scores = new double[total];
        int[] first = new int[total], second = new int[total];
        ScoreListed(samePairs, 0);
        if (drawn is not null)
        {
            ScoreListed(drawn, samePairs.Count);
        }
        else
        {
            ScoreAllDifferent(Score, labels, samePairs.Count, cancellationToken);
        }

        bool[] isSame = new bool[total];
        isSame.AsSpan(0, samePairs.Count).Fill(true);
        return new VerificationScores(scores, isSame, null, null, first, second);

        void ScoreListed(List<(int A, int B)> pairs, int offset) =>
            ParallelLoop.Run(pairs.Count, k => Score(offset + k, pairs[k].A, pairs[k].B), cancellationToken: cancellationToken);

        void Score(int at, int a, int b)
        {
            scores[at] = faces.Cosine(a, b);
            (first[at], second[at]) = (labels[a], labels[b]);
        }
    }

    private static IEnumerable<(int A, int B)> SamePairs(int[] images)
    {
        for (int a = 0; a < images.Length; a++)
        {
            for (int b = a + 1; b < images.Length; b++)
            {
                yield return (images[a], images[b]);
            }
        }
    }

    // Walks the upper triangle row by row, jumping from one drawn pair to the next.
    private static List<(int A, int B)> DrawDifferent(IReadOnlyList<int> labels, long all, long different, PairOptions limits)
    {
        int count = labels.Count;
        long wanted = (long)(limits.MaxDifferentPairs / (double)different * all);
        List<(int A, int B)> pairs = [];
        int row = 0;
        long rowStart = 0; // index of the pair (row, row + 1)
        foreach (long index in EvenDraw.Indices(all, Math.Clamp(wanted, 1, all), new SeededRandom(limits.Seed, RandomStream.NonMatedPairs)))
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

        return pairs;
    }

    private static void ScoreAllDifferent(Action<int, int, int> score, IReadOnlyList<int> labels, int offset, CancellationToken cancellationToken)
    {
        int count = labels.Count;
        int[] rowOffset = new int[count]; // where the non-mated pairs (row, column > row) are written
        Dictionary<int, int> left = labels.CountBy(label => label).ToDictionary();
        int next = offset;
        for (int row = 0; row < count; row++)
        {
            rowOffset[row] = next;
            next += count - row - left[labels[row]]--;
        }

        // Blocks of rows by blocks of columns, so that a block of embeddings stays in the cache.
        ParallelLoop.RunRanges(count, RowBlock, ScoreRows, cancellationToken);

        void ScoreRows(int start, int end)
        {
            int[] write = rowOffset[start..end];
            for (int columns = start; columns < count; columns += ColumnBlock)
            {
                for (int row = start; row < end; row++)
                {
                    for (int column = Math.Max(columns, row + 1); column < Math.Min(count, columns + ColumnBlock); column++)
                    {
                        if (labels[column] != labels[row])
                        {
                            score(write[row - start]++, row, column);
                        }
                    }
                }
            }
        }
    }
}
