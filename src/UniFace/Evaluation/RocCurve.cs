namespace UniFace.Evaluation;

/// <summary>A point of a ROC curve.</summary>
/// <param name="Threshold">Pairs with a score at or above it match; infinite at the first point, where none does.</param>
/// <param name="FalseMatchRate">Share of the pairs of two people that match (FMR, FAR, false positive rate).</param>
/// <param name="TrueMatchRate">Share of the pairs of one person that match (TAR, TMR, true positive rate); 1 - FNMR.</param>
public readonly record struct RocPoint(double Threshold, double FalseMatchRate, double TrueMatchRate)
{
    /// <summary>Share of the pairs of one person that do not match (FNMR, FRR).</summary>
    public double FalseNonMatchRate => 1 - TrueMatchRate;
}

/// <summary>
/// The receiver operating characteristic of scored pairs: one point a distinct score, from the strictest threshold to
/// the loosest, after a first point (infinity, 0, 0). Equal to scikit-learn's <c>roc_curve</c> on the same scores with
/// <c>drop_intermediate=False</c>; <see cref="DropIntermediate"/> gives what it returns by default.
/// </summary>
public sealed class RocCurve
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

    /// <summary>Pairs of one person behind the curve.</summary>
    public int SamePairs { get; }

    /// <summary>Pairs of two people behind the curve.</summary>
    public int DifferentPairs { get; }

    /// <summary>
    /// Area under the curve, by trapezoids: the chance that a pair of one person scores above a pair of two people,
    /// ties counting half. Equal to scikit-learn's <c>roc_auc_score</c>.
    /// </summary>
    public double Auc { get; }

    /// <summary>The curve of scored pairs; see <see cref="VerificationScores"/> for what missing pairs are in it.</summary>
    /// <exception cref="UniFaceException">There is no pair of one person, or none of two people.</exception>
    public static RocCurve FromScores(VerificationScores scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        return FromRanked(new RankedScores(scores));
    }

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
    /// The curve without the points that lie on a straight line between their neighbours in equal steps, by
    /// scikit-learn's rule: a point stays where the second difference of either count is not zero. The first and last stay.
    /// </summary>
    public RocCurve DropIntermediate()
    {
        // As scikit-learn does, the rule is applied before the point (infinity, 0, 0) is put in front.
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
    /// The equal error rate: where the curve, joined by straight lines, crosses FMR = FNMR. The crossing is one point,
    /// because FMR - FNMR rises strictly along the curve. The threshold is interpolated too.
    /// </summary>
    public EqualErrorRate EqualError()
    {
        int i = 1;
        while (Points[i].FalseMatchRate < Points[i].FalseNonMatchRate)
        {
            i++; // Ends: at the last point FMR = 1 and FNMR = 0.
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
    /// TAR at a FAR: the largest true match rate over all thresholds whose false match rate is no more than
    /// <paramref name="falseMatchRate"/>; nothing is interpolated. The threshold is the lowest score that does it.
    /// With n pairs of two people no rate below 1/n can be told from 0: such a rate gives a point without values, that says why.
    /// </summary>
    /// <param name="falseMatchRate">In (0, 1).</param>
    public OperatingPoint At(double falseMatchRate)
    {
        if (!IsSupported(falseMatchRate, DifferentPairs))
        {
            return OperatingPoint.Unsupported(falseMatchRate, DifferentPairs);
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
        return new OperatingPoint
        {
            TargetFalseMatchRate = falseMatchRate,
            Threshold = low == 0 ? Math.BitIncrement(Points[1].Threshold) : point.Threshold,
            FalseMatchRate = point.FalseMatchRate,
            TrueMatchRate = point.TrueMatchRate,
        };
    }

    /// <summary>True where <paramref name="differentPairs"/> pairs can tell this false match rate from 0: it is at least 1 / pairs.</summary>
    internal static bool IsSupported(double falseMatchRate, long differentPairs)
    {
        if (!(falseMatchRate > 0 && falseMatchRate < 1))
        {
            throw new UniFaceException(FormattableString.Invariant($"a false match rate of {falseMatchRate} was asked for: expected a number above 0 and below 1, e.g. 0.001"));
        }

        return falseMatchRate * differentPairs >= 1 - 1e-9;
    }

    private bool StraightAt(RocPoint[] all, int i)
    {
        return Second(p => p.FalseMatchRate * DifferentPairs) == 0 && Second(p => p.TrueMatchRate * SamePairs) == 0;

        double Second(Func<RocPoint, double> count) =>
            Math.Round(count(all[i + 1])) - 2 * Math.Round(count(all[i])) + Math.Round(count(all[i - 1]));
    }
}
