namespace UniFace.Evaluation.Verification;

/// <summary>A point of a ROC curve.</summary>
/// <param name="Threshold">Pairs with a score at or above it match; infinite at the first point, where no pair matches.</param>
/// <param name="FalseMatchRate">Fraction of the non-mated pairs that match (FMR, FAR, false positive rate).</param>
/// <param name="TrueMatchRate">Fraction of the mated pairs that match (TAR, TMR, true positive rate); 1 - FNMR.</param>
internal readonly record struct RocPoint(double Threshold, double FalseMatchRate, double TrueMatchRate)
{
    /// <summary>Fraction of the mated pairs that do not match (FNMR, FRR).</summary>
    public double FalseNonMatchRate => 1 - TrueMatchRate;
}

/// <summary>
/// The receiver operating characteristic of scored pairs: one point per distinct score, from the strictest threshold to the loosest, after a
/// first point (infinity, 0, 0). Equal to scikit-learn's <c>roc_curve</c> with <c>drop_intermediate=False</c>;
/// <see cref="DropIntermediate"/> gives its default.
/// </summary>
internal sealed class RocCurve
{
    private RocCurve(RocPoint[] points, int samePairs, int differentPairs, double auc)
    {
        Points = points;
        SamePairs = samePairs;
        DifferentPairs = differentPairs;
        Auc = auc;
    }

    /// <summary>The points; thresholds fall strictly, both rates never fall.</summary>
    public IReadOnlyList<RocPoint> Points { get; }

    /// <summary>Number of mated pairs.</summary>
    public int SamePairs { get; }

    /// <summary>Number of non-mated pairs.</summary>
    public int DifferentPairs { get; }

    /// <summary>
    /// Area under the curve, by trapezoids: the probability that a mated pair scores above a non-mated pair, ties counting half. Equal to
    /// scikit-learn's <c>roc_auc_score</c>.
    /// </summary>
    public double Auc { get; }

    /// <summary>The curve of scored pairs; <see cref="VerificationScores"/> describes how missing pairs count.</summary>
    /// <exception cref="UniFaceException">There is no mated or no non-mated pair.</exception>
    public static RocCurve FromScores(VerificationScores scores) => FromRanked(new RankedScores(scores));

    internal static RocCurve FromRanked(RankedScores ranked)
    {
        RocPoint[] points = new RocPoint[ranked.GroupEnds.Count + 1];
        points[0] = new RocPoint(double.PositiveInfinity, 0, 0);
        long trueMatches = 0;
        long falseMatches = 0;
        Int128 twiceArea = 0;
        int rank = 0;
        for (int group = 0; group < ranked.GroupEnds.Count; group++)
        {
            long trueBefore = trueMatches;
            long falseBefore = falseMatches;
            for (; rank < ranked.GroupEnds[group]; rank++)
            {
                if (ranked.Same[rank])
                {
                    trueMatches++;
                }
                else
                {
                    falseMatches++;
                }
            }

            twiceArea += (Int128)(falseMatches - falseBefore) * (trueBefore + trueMatches);
            points[group + 1] = new RocPoint(ranked.Thresholds[group], falseMatches / (double)ranked.DifferentPairs, trueMatches / (double)ranked.SamePairs);
        }

        double auc = (double)twiceArea / (2.0 * ranked.SamePairs * ranked.DifferentPairs);
        return new RocCurve(points, ranked.SamePairs, ranked.DifferentPairs, auc);
    }

    /// <summary>
    /// The curve without points on straight lines, by scikit-learn's rule: a point stays if the second difference of either count is not
    /// zero. The first and last points stay.
    /// </summary>
    public RocCurve DropIntermediate()
    {
        // As in scikit-learn, the rule is applied before the point (infinity, 0, 0) is prepended.
        RocPoint[] all = [.. Points.Skip(1)];
        List<RocPoint> kept = [Points[0]];
        for (int i = 0; i < all.Length; i++)
        {
            if (i == 0 || i == all.Length - 1 || all.Length <= 2 || !StraightAt(all, i))
            {
                kept.Add(all[i]);
            }
        }

        return new RocCurve([.. kept], SamePairs, DifferentPairs, Auc);
    }

    /// <summary>
    /// The equal error rate: where the curve, with linear interpolation, crosses FMR = FNMR. The crossing is unique, because FMR - FNMR rises
    /// strictly along the curve. The threshold is interpolated too.
    /// </summary>
    public EqualErrorRate EqualError()
    {
        int i = 1;
        while (Points[i].FalseMatchRate < Points[i].FalseNonMatchRate)
        {
            i++; // Terminates: at the last point FMR = 1 and FNMR = 0.
        }

        RocPoint before = Points[i - 1];
        RocPoint after = Points[i];
        double gapBefore = before.FalseMatchRate - before.FalseNonMatchRate;
        double gapAfter = after.FalseMatchRate - after.FalseNonMatchRate;
        double part = -gapBefore / (gapAfter - gapBefore);
        double rate = before.FalseMatchRate + part * (after.FalseMatchRate - before.FalseMatchRate);
        double threshold = double.IsInfinity(before.Threshold) ? after.Threshold : before.Threshold + part * (after.Threshold - before.Threshold);
        return new EqualErrorRate(rate, threshold);
    }

    /// <summary>
    /// TAR at a FAR: the largest true match rate over all thresholds with a false match rate of at most
    /// <paramref name="falseMatchRate"/>, without interpolation. The threshold is the lowest such score. With n non-mated pairs, a rate below
    /// 1/n cannot be told from 0; the point then has no values and a reason.
    /// </summary>
    /// <param name="falseMatchRate">In (0, 1).</param>
    public OperatingPoint At(double falseMatchRate)
    {
        ErrorRate.Require(falseMatchRate, "false match rate");
        if (!RuleOfThree.CanMeasure(DifferentPairs, falseMatchRate))
        {
            string why =
                Invariant($"{DifferentPairs:N0} pairs of different people cannot tell a false match rate below {1.0 / DifferentPairs:0.#e0} from 0: ") +
                Invariant($"at least {Math.Ceiling(1 / falseMatchRate * (1 - 1e-9)):N0} are needed");
            return new OperatingPoint(falseMatchRate, Why: why);
        }

        // Both rates never fall along the points: the last one within the target is the answer.
        int low = 0;
        int high = Points.Count;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            (low, high) = Points[middle].FalseMatchRate <= falseMatchRate * (1 + 1e-9) ? (middle, high) : (low, middle);
        }

        RocPoint point = Points[low];
        double threshold = low == 0 ? Math.BitIncrement(Points[1].Threshold) : point.Threshold;
        return new OperatingPoint(falseMatchRate, threshold, point.FalseMatchRate, point.TrueMatchRate);
    }

    private bool StraightAt(RocPoint[] all, int i)
    {
        return Second(p => p.FalseMatchRate * DifferentPairs) == 0 && Second(p => p.TrueMatchRate * SamePairs) == 0;

        double Second(Func<RocPoint, double> count) =>
            Math.Round(count(all[i + 1])) - 2 * Math.Round(count(all[i])) + Math.Round(count(all[i - 1]));
    }
}
