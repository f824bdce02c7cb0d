using System.Globalization;

namespace UniFace.Evaluation;

/// <summary>The error rate at which false matches and false non-matches are equally frequent.</summary>
/// <param name="Rate">FMR = FNMR, 0 to 1.</param>
/// <param name="Threshold">The cosine at which it is.</param>
public readonly record struct EqualErrorRate(double Rate, double Threshold);

/// <summary>An interval of confidence.</summary>
/// <param name="Low">Its lower end.</param>
/// <param name="High">Its upper end.</param>
public readonly record struct ConfidenceInterval(double Low, double High);

/// <summary>Where a system works at a false match rate: the threshold and how many pairs of one person it then accepts.</summary>
public sealed record OperatingPoint
{
    /// <summary>The false match rate that must not be exceeded.</summary>
    public required double TargetFalseMatchRate { get; init; }

    /// <summary>Pairs with a cosine at or above it match; null where the data cannot support the rate.</summary>
    public double? Threshold { get; init; }

    /// <summary>The false match rate measured at the threshold, no more than the target.</summary>
    public double? FalseMatchRate { get; init; }

    /// <summary>TAR: share of the pairs of one person that match at the threshold.</summary>
    public double? TrueMatchRate { get; init; }

    /// <summary>Interval of the TAR at this target, the choice of the threshold included; null until a bootstrap gave it.</summary>
    public ConfidenceInterval? TrueMatchRateInterval { get; init; }

    /// <summary>Interval of the threshold; null until a bootstrap gave it.</summary>
    public ConfidenceInterval? ThresholdInterval { get; init; }

    /// <summary>Why there are no values.</summary>
    public string? Why { get; init; }

    /// <summary>A rate as contracts and tables name it: "1e-2", "2.5e-3".</summary>
    public static string NameOf(double falseMatchRate)
    {
        string text = falseMatchRate.ToString("0.####e0", CultureInfo.InvariantCulture);
        return text;
    }

    internal static OperatingPoint Unsupported(double falseMatchRate, long differentPairs) => new()
    {
        TargetFalseMatchRate = falseMatchRate,
        Why = FormattableString.Invariant($"{differentPairs} pairs of different people cannot tell a false match rate below {1.0 / differentPairs:G3} from 0: at least {Math.Ceiling(1 / falseMatchRate * (1 - 1e-9)):F0} are needed"),
    };
}
