using UniFace.Evaluation.Verification;

namespace UniFace.Evaluation.ThresholdCalibration;

/// <summary>What was measured for a calibration. <see cref="Calibration.For"/> then assigns the result to a model.</summary>
/// <param name="FlipSum">Whether embeddings were f(x) + f(mirrored x).</param>
/// <param name="DataName">Name of the data.</param>
/// <param name="DataSha256">Hash of the data set (<see cref="Data.DatasetHash"/>).</param>
/// <param name="People">People in the data; 0 if unknown.</param>
/// <param name="Images">Images in the data.</param>
internal sealed record CalibrationSource(bool FlipSum, string DataName, string DataSha256, int People = 0, int Images = 0);

/// <summary>
/// Makes a <see cref="Calibration"/> from scored pairs. Rates are supported by the rule of three; a smaller rate is listed with the number
/// of pairs that it needs. The interval of the false match rate is Clopper-Pearson's, which assumes independent pairs; those of the
/// threshold and the true match rate are bootstrap intervals, over people if they are known and densely compared.
/// </summary>
internal static class Calibrator
{
    private const int CurvePointsPerDecade = 10;

    /// <summary>The calibration that scored pairs give.</summary>
    /// <param name="scores">Scored pairs of people that the model was not trained on.</param>
    /// <param name="source">What was measured.</param>
    /// <param name="rates">False match rates to list; null for 1e-1 to 1e-6.</param>
    /// <param name="bootstrap">How intervals are computed; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the computation.</param>
    /// <exception cref="UniFaceException">There are too few pairs for any rate of the list.</exception>
    public static Calibration FromScores(
        VerificationScores scores,
        CalibrationSource source,
        IReadOnlyList<double>? rates = null,
        BootstrapOptions? bootstrap = null,
        CancellationToken cancellationToken = default)
    {
        BootstrapOptions options = bootstrap ?? new BootstrapOptions();
        RankedScores ranked = new(scores);
        RocCurve roc = RocCurve.FromRanked(ranked);
        double[] listed = [.. (rates ?? VerificationReport.DefaultRates).Distinct().OrderDescending()];
        OperatingPoint[] points = [.. listed.Where(rate => RuleOfThree.Supports(roc.DifferentPairs, rate)).Select(roc.At)];
        if (points.Length == 0)
        {
            string targets = string.Join(", ", listed.Select(OperatingPoint.FormatRate));
            throw new UniFaceException(
                $"{source.DataName}: {roc.DifferentPairs} pairs of different people do not support any false match rate of {targets}: " +
                $"calibrate on at least {RuleOfThree.TrialsFor(listed[0])} such pairs");
        }

        BootstrapIntervals intervals = Bootstrap.Run(scores, points, options, ranked, cancellationToken);
        Dictionary<double, OperatingPoint> measured = intervals.Points.ToDictionary(p => p.TargetFalseMatchRate);
        return new Calibration
        {
            FlipSum = source.FlipSum,
            Data = new CalibrationData
            {
                Name = source.DataName,
                Sha256 = source.DataSha256,
                People = source.People,
                Images = source.Images,
                SamePairs = roc.SamePairs,
                DifferentPairs = roc.DifferentPairs,
            },
            Confidence = options.Confidence,
            Created = DateTimeOffset.UtcNow,
            ToolVersion = ToolVersion.Current,
            Entries = [.. listed.Select(rate =>
                measured.TryGetValue(rate, out OperatingPoint? point) ? Entry(point, roc, options.Confidence) : Unsupported(rate, roc))],
            Curve = Curve(roc),
        };
    }

    private static CalibrationEntry Entry(OperatingPoint point, RocCurve roc, double confidence)
    {
        long falseMatches = (long)Math.Round(point.FalseMatchRate!.Value * roc.DifferentPairs);
        ConfidenceInterval rate = BinomialInterval.ClopperPearson(falseMatches, roc.DifferentPairs, confidence);
        return new CalibrationEntry
        {
            FalseMatchRate = point.TargetFalseMatchRate,
            Supported = true,
            Threshold = point.Threshold,
            ThresholdLow = point.ThresholdInterval!.Value.Low,
            ThresholdHigh = point.ThresholdInterval.Value.High,
            MeasuredFalseMatchRate = point.FalseMatchRate,
            FalseMatchRateLow = rate.Low,
            FalseMatchRateHigh = rate.High,
            TrueMatchRate = point.TrueMatchRate,
            TrueMatchRateLow = point.TrueMatchRateInterval!.Value.Low,
            TrueMatchRateHigh = point.TrueMatchRateInterval.Value.High,
        };
    }

    private static CalibrationEntry Unsupported(double rate, RocCurve roc) => new()
    {
        FalseMatchRate = rate,
        Supported = false,
        Why = RuleOfThree.Explain(roc.DifferentPairs, rate, "pairs of different people", "false match rates"),
    };

    // Points evenly spaced in the logarithm of the rate: for each step its loosest threshold, then the loosest of all.
    private static List<CalibrationPoint> Curve(RocCurve roc)
    {
        List<CalibrationPoint> curve = [];
        double step = Math.Pow(10, 1.0 / CurvePointsPerDecade);
        double limit = 1.0 / roc.DifferentPairs;
        for (int i = 1; i < roc.Points.Count; i++)
        {
            RocPoint point = roc.Points[i];
            bool last = i + 1 == roc.Points.Count;
            if (!last && roc.Points[i + 1].FalseMatchRate <= limit * (1 + 1e-9))
            {
                continue;
            }

            curve.Add(new CalibrationPoint(point.Threshold, point.FalseMatchRate, point.TrueMatchRate));
            while (!last && limit * (1 + 1e-9) < roc.Points[i + 1].FalseMatchRate)
            {
                limit *= step;
            }
        }

        return curve;
    }
}
