namespace UniFace.Evaluation.Verification;

/// <summary>
/// The pairs that count in a ROC, from the highest score to the lowest, with equal scores in one group. Sorted once, for the curve and every
/// bootstrap replicate.
/// </summary>
internal sealed class RankedScores
{
    public RankedScores(VerificationScores scores)
    {
        int counted = 0;
        int[] pairs = new int[scores.Count];
        for (int i = 0; i < scores.Count; i++)
        {
            if (scores.Same[i] || !scores.IsMissing(i))
            {
                pairs[counted++] = i;
                SamePairs += scores.Same[i] ? 1 : 0;
            }
        }

        DifferentPairs = counted - SamePairs;
        if (SamePairs == 0 || DifferentPairs == 0)
        {
            throw new UniFaceException(
                $"verification needs pairs of one person and pairs of two people whose faces were found; given are {SamePairs} and {DifferentPairs}");
        }

        double[] keys = new double[counted];
        for (int i = 0; i < counted; i++)
        {
            // A missing mated pair ranks below every score, even -1.
            keys[i] = scores.IsMissing(pairs[i]) ? double.MaxValue : -scores.Scores[pairs[i]];
        }

        Array.Resize(ref pairs, counted);
        Array.Sort(keys, pairs);
        Pairs = pairs;
        Same = new bool[counted];
        for (int i = 0; i < counted; i++)
        {
            Same[i] = scores.Same[pairs[i]];
            if (i + 1 == counted || keys[i + 1] != keys[i])
            {
                GroupEnds.Add(i + 1);
                Thresholds.Add(keys[i] == double.MaxValue ? LowestOf(keys, i) : -keys[i]);
            }
        }
    }

    /// <summary>Index of each pair in the scores, best first.</summary>
    public int[] Pairs { get; }

    /// <summary>Whether the pair of that rank is mated.</summary>
    public bool[] Same { get; }

    /// <summary>Rank after the last pair of each group of equal scores.</summary>
    public List<int> GroupEnds { get; } = [];

    /// <summary>The score of each group.</summary>
    public List<double> Thresholds { get; } = [];

    /// <summary>Number of mated pairs.</summary>
    public int SamePairs { get; }

    /// <summary>Number of non-mated pairs whose faces were found.</summary>
    public int DifferentPairs { get; }

    /// <summary>A finite threshold above every score, at which nothing matches.</summary>
    public double AboveAll => Math.BitIncrement(Thresholds[0]);

    // The threshold at which missing pairs would match: below -1 and below every score.
    private static double LowestOf(double[] keys, int i)
    {
        int scored = Array.IndexOf(keys, double.MaxValue, 0, i + 1) - 1;
        return Math.BitDecrement(Math.Min(VerificationScores.MissingScore, scored >= 0 ? -keys[scored] : VerificationScores.MissingScore));
    }
}
