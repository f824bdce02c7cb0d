namespace UniFace.Evaluation.Verification;

/// <summary>The error rate at which false matches and false non-matches are equally frequent.</summary>
/// <param name="Rate">FMR = FNMR, 0 to 1.</param>
/// <param name="Threshold">The cosine at which it occurs.</param>
internal readonly record struct EqualErrorRate(double Rate, double Threshold);

/// <summary>The threshold for a false match rate, and the true match rate there.</summary>
/// <param name="TargetFalseMatchRate">The target false match rate.</param>
/// <param name="Threshold">Pairs with a cosine at or above it match; null if the data does not support the rate.</param>
/// <param name="FalseMatchRate">The false match rate measured at the threshold, no more than the target.</param>
/// <param name="TrueMatchRate">TAR: fraction of the mated pairs that match at the threshold.</param>
/// <param name="Why">Why there are no values.</param>
internal sealed record OperatingPoint(
    double TargetFalseMatchRate, double? Threshold = null, double? FalseMatchRate = null, double? TrueMatchRate = null, string? Why = null)
{
    /// <summary>Interval of the TAR at this target, including the choice of the threshold; null without a bootstrap.</summary>
    public ConfidenceInterval? TrueMatchRateInterval { get; init; }

    /// <summary>Interval of the threshold; null without a bootstrap.</summary>
    public ConfidenceInterval? ThresholdInterval { get; init; }

    /// <summary>A rate as tables show it: "1e-2", "2.5e-3".</summary>
    public static string FormatRate(double falseMatchRate) => falseMatchRate.ToString("0.####e0", CultureInfo.InvariantCulture);
}
