namespace UniFace.Evaluation.Verification;

/// <summary>
/// The detection error trade-off (ISO/IEC 19795-1): FNMR against FMR, on axes of normal deviates. Normally distributed scores give straight
/// lines.
/// </summary>
internal static class DetCurve
{
    /// <summary>The curve's points, from the strictest threshold to the loosest, without those on straight lines.</summary>
    public static IReadOnlyList<RocPoint> FromRoc(RocCurve roc) => [.. roc.DropIntermediate().Points.Skip(1)];

    /// <summary>
    /// The normal deviate of a rate (the inverse of the normal distribution), for the axes of a DET plot:
    /// -infinity at 0, 0 at 0.5, +infinity at 1.
    /// </summary>
    public static double Probit(double rate)
    {
        if (!(rate > 0 && rate < 1))
        {
            return rate == 0 ? double.NegativeInfinity : rate == 1 ? double.PositiveInfinity : double.NaN;
        }

        // Bisection over the distribution function: exact to double precision in the tails, without fitted constants.
        double low = -40, high = 40;
        bool upper = rate > 0.5;
        double target = upper ? 1 - rate : rate;
        for (int i = 0; i < 100; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = LowerTail(middle) < target ? (middle, high) : (low, middle);
        }

        double deviate = (low + high) / 2;
        return upper ? -deviate : deviate;
    }

    // P(Z < z). For z < -3 the continued fraction of Mills' ratio, nearer the middle the series of the distribution.
    private static double LowerTail(double z)
    {
        if (z > 0)
        {
            return 1 - LowerTail(-z);
        }

        double density = Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI);
        if (z > -3)
        {
            double term = z, sum = z;
            for (int k = 1; Math.Abs(term) > 1e-18 && k < 200; k++)
            {
                term *= z * z / (2 * k + 1);
                sum += term;
            }

            return 0.5 + density * sum;
        }

        double ratio = -z;
        for (int k = 200; k >= 1; k--)
        {
            ratio = -z + k / ratio;
        }

        return density / ratio;
    }
}
