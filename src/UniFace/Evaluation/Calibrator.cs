using UniFace.Packages;

namespace UniFace.Evaluation;

/// <summary>Whose scores a calibration is made of.</summary>
public sealed record CalibrationSource
{
    /// <summary>The measured model's contract; null while it has no ONNX file yet.</summary>
    public string? ContractId { get; init; }

    /// <summary>SHA-256 of the ONNX file; null while there is none.</summary>
    public string? OnnxSha256 { get; init; }

    /// <summary>True where embeddings were f(x) + f(mirrored x).</summary>
    public required bool FlipSum { get; init; }

    /// <summary>What the data is called.</summary>
    public required string DataName { get; init; }

    /// <summary>Hash of the data set (<see cref="Data.DatasetHash"/>).</summary>
    public required string DataSha256 { get; init; }

    /// <summary>People in the data; 0 where not known.</summary>
    public int People { get; init; }

    /// <summary>Pictures in the data.</summary>
    public int Images { get; init; }

    /// <summary>Version of the tool that measures.</summary>
    public string? ToolVersion { get; init; }

    /// <summary>The source of a model with a manifest.</summary>
    public static CalibrationSource Of(ModelManifest manifest, string dataName, string dataSha256)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        return new CalibrationSource
        {
            ContractId = manifest.ContractId,
            OnnxSha256 = manifest.OnnxSha256,
            FlipSum = manifest.FlipSum,
            DataName = dataName,
            DataSha256 = dataSha256,
        };
    }
}

/// <summary>
/// Makes a <see cref="Calibration"/> of scored pairs. A rate is supported by the rule of three, from 3 / (pairs of two
/// people) up; a smaller one is listed with what it would take. The interval of the false match rate is Clopper-Pearson's, which
/// takes pairs as independent; that of the threshold and of the true match rate is a bootstrap's, which draws people where they
/// are known and densely compared.
/// </summary>
public static class Calibrator
{
    private const int CurvePointsPerDecade = 10;

    /// <summary>Calibrates.</summary>
    /// <param name="scores">Scored pairs of people that the model never saw in training.</param>
    /// <param name="source">Whose they are.</param>
    /// <param name="rates">False match rates to list; null for 1e-1 to 1e-6.</param>
    /// <param name="bootstrap">How intervals are drawn; null for the defaults.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="UniFaceException">The pairs are too few to state any false match rate of the list.</exception>
    public static Calibration FromScores(VerificationScores scores, CalibrationSource source, IReadOnlyList<double>? rates = null, BootstrapOptions? bootstrap = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(scores);
        ArgumentNullException.ThrowIfNull(source);
        BootstrapOptions options = bootstrap ?? new BootstrapOptions();
        RankedScores ranked = new(scores);
        RocCurve roc = RocCurve.FromRanked(ranked);
        double smallest = Calibration.SmallestRateOf(roc.DifferentPairs);
        double[] listed = [.. (rates ?? VerificationReport.DefaultRates).Distinct().OrderDescending()];
        OperatingPoint[] points = [.. listed.Where(rate => rate >= smallest * (1 - 1e-9)).Select(roc.At)];
        if (points.Length == 0)
        {
            throw new UniFaceException(FormattableString.Invariant($"{source.DataName}: {roc.DifferentPairs} pairs of different people cannot state any false match rate of {string.Join(", ", listed.Select(OperatingPoint.NameOf))}: calibrate on at least {Calibration.PairsFor(listed[0])} such pairs"));
        }

        BootstrapIntervals intervals = Bootstrap.Run(scores, ranked, points, options, cancellation);
        Dictionary<double, OperatingPoint> measured = intervals.Points.ToDictionary(p => p.TargetFalseMatchRate);
        return new Calibration
        {
            ContractId = source.ContractId,
            OnnxSha256 = source.OnnxSha256,
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
            ToolVersion = source.ToolVersion,
            Entries = [.. listed.Select(rate => measured.TryGetValue(rate, out OperatingPoint? point) ? Entry(point, roc, options.Confidence) : Unsupported(rate, roc))],
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
        Why = FormattableString.Invariant($"{roc.DifferentPairs} pairs of different people state false match rates down to {Calibration.SmallestRateOf(roc.DifferentPairs):G3}; this one takes {Calibration.PairsFor(rate)}"),
    };

    // Points evenly spaced in the logarithm of the rate: for each step the loosest threshold within it, then the loosest of all.
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
