using UniFace.Packages;

namespace UniFace.AspNetCore.Recognition;

/// <summary>Where a request decides.</summary>
/// <param name="Threshold">Cosine at or above which two faces are one person.</param>
/// <param name="FalseMatchRate">The false match rate that the calibration gives it; null without a calibration.</param>
internal sealed record Decision(double Threshold, double? FalseMatchRate)
{
    private const double UsualRate = 1e-3;

    /// <summary>
    /// By a threshold, or by the calibration at a false match rate. Without either at 1 in 1000, or, where the calibration's data cannot state that,
    /// at the smallest rate that it does state.
    /// </summary>
    /// <exception cref="UniFaceException">Both are given, one is out of range, or the calibration cannot state the rate.</exception>
    public static Decision Of(Calibration? calibration, double? threshold, double? rate)
    {
        if (threshold is double given)
        {
            return rate is not null ? throw new UniFaceException("threshold and falseMatchRate were both given: each says where to decide; leave one out")
                : given is >= -1 and <= 1 ? new Decision(given, calibration?.FalseMatchRateAt(given))
                : throw new UniFaceException("threshold is out of range: expected a cosine, -1 to 1");
        }

        if (calibration is null)
        {
            throw new RefusedException(Refusal.Conflict, "the model of this service has no calibration, so no threshold is known at which to decide; give a threshold, or calibrate the package with 'uniface eval'");
        }

        double asked = rate ?? Math.Max(UsualRate, calibration.Entries.Where(e => e.Supported).Select(e => e.FalseMatchRate).DefaultIfEmpty(UsualRate).Min());
        return new Decision(calibration.ThresholdAt(asked), asked);
    }
}
