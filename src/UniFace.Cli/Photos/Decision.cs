using UniFace.Packages;

namespace UniFace.Cli.Photos;

/// <summary>The threshold that verify and identify decide by.</summary>
/// <param name="Threshold">Cosine at or above which two faces are one person.</param>
/// <param name="FalseMatchRate">The threshold's false match rate according to the calibration; null without a calibration.</param>
internal sealed record Decision(double Threshold, double? FalseMatchRate)
{
    /// <summary>The given threshold, or the calibration's threshold at the given rate, 1e-3 by default.</summary>
    public static Decision Of(ModelPackage package, Calibration? calibration, double? threshold, double? rate)
    {
        if (threshold is double given)
        {
            if (rate is not null)
            {
                throw new UniFaceException("--threshold and --fmr exclude each other: each sets the threshold.");
            }

            return given is >= -1 and <= 1
                ? new Decision(given, calibration?.FalseMatchRateAt(given))
                : throw new UniFaceException($"--threshold {given}: expected a cosine, -1 to 1.");
        }

        if (calibration is null)
        {
            throw new UniFaceException(
                $"{package.Source} has no calibration, so its threshold is unknown; give --threshold COSINE, or calibrate it on people it was not " +
                $"trained on: uniface calibrate {package.Source} --images PEOPLE");
        }

        double asked = rate ?? 1e-3;
        return new Decision(calibration.ThresholdAt(asked), asked);
    }

    /// <summary>" at a false match rate of ..." or nothing if the rate is unknown.</summary>
    public string RateText(Calibration? calibration) =>
        FalseMatchRate is double rate && calibration is not null ? $" at a false match rate of {rate:G3} ({calibration.Data.Name})" : "";

    /// <summary>How often two different people reach a score, in words. Beyond the calibration's smallest rate only an upper bound is known.</summary>
    public static string AtScore(Calibration calibration, double score)
    {
        double rate = calibration.FalseMatchRateAt(score);
        string bound = rate <= calibration.SmallestRate * (1 + 1e-9) ? "at most" : "about";
        return $"{bound} 1 of {(rate > 0.1 ? Math.Round(1 / rate, 1) : Math.Round(1 / rate)):G7}";
    }
}
