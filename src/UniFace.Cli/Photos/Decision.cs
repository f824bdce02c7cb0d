using System.Globalization;
using UniFace.Packages;

namespace UniFace.Cli.Photos;

/// <summary>Where verify and identify decide.</summary>
/// <param name="Threshold">Cosine at or above which two faces are one person.</param>
/// <param name="FalseMatchRate">The false match rate that the calibration gives it; null for a threshold without a calibration.</param>
internal sealed record Decision(double Threshold, double? FalseMatchRate)
{
    /// <summary>By --threshold, or by the calibration at --fmr, 1e-3 by default.</summary>
    public static Decision Of(ModelPackage package, Calibration? calibration, double? threshold, double? rate)
    {
        if (threshold is double given)
        {
            if (rate is not null)
            {
                throw new UniFaceException("--threshold and --fmr were both given: each says where to decide; leave one out.");
            }

            return given is >= -1 and <= 1
                ? new Decision(given, calibration?.FalseMatchRateAt(given))
                : throw new UniFaceException(string.Create(CultureInfo.InvariantCulture, $"--threshold {given}: expected a cosine, -1 to 1."));
        }

        if (calibration is null)
        {
            throw new UniFaceException($"{package.Source} has no calibration, so no threshold is known at which to decide; give --threshold COSINE, or " +
                $"calibrate it on people whom it has not seen: uniface calibrate {package.Source} --images PEOPLE");
        }

        double asked = rate ?? 1e-3;
        return new Decision(calibration.ThresholdAt(asked), asked);
    }

    /// <summary>How often two different people score so much, in words. At the end of what the calibration can state, no more than "at most" is known.</summary>
    public static string AtScore(Calibration calibration, double score)
    {
        double rate = calibration.FalseMatchRateAt(score);
        return string.Create(CultureInfo.InvariantCulture, $"{(rate <= calibration.SmallestRate * (1 + 1e-9) ? "at most " : "about ")}1 of {(rate > 0.1 ? Math.Round(1 / rate, 1) : Math.Round(1 / rate)):G7}");
    }
}
