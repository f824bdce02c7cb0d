using UniFace.Evaluation.Identification;

namespace UniFace.Cli.Reports;

/// <summary>The charts of training and evaluation; each is one self-contained SVG.</summary>
internal static class Charts
{
    private const double MaxErrorRate = 0.8;

    /// <summary>Loss over the steps of a run.</summary>
    public static string Loss(IReadOnlyList<StepMetrics> steps)
    {
        AxisScale scale = steps.Count > 0 && steps.All(s => s.Loss > 0) ? AxisScale.Log : AxisScale.Linear;
        return new SvgChart("Training loss", new ChartAxis("step"), new ChartAxis("loss", scale))
            .AddLine("mean loss of the steps since the previous point", [.. steps.Select(s => ((double)s.Step, s.Loss))])
            .ToSvg(steps.Count == 0 ? "no steps" : $"from {steps[0].Loss:G4} to {steps[^1].Loss:G4} in {steps[^1].Step} steps");
    }

    /// <summary>Learning rate over the steps of a run.</summary>
    public static string LearningRate(IReadOnlyList<StepMetrics> steps) =>
        new SvgChart("Learning rate", new ChartAxis("step"), new ChartAxis("learning rate") { Min = 0 })
            .AddLine("learning rate", [.. steps.Select(s => ((double)s.Step, s.Lr))], 3)
            .ToSvg(steps.Count == 0 ? "no steps" : $"highest {steps.Max(s => s.Lr):G3}, last {steps[^1].Lr:G3}");

    /// <summary>Mean target and hardest-negative cosine per epoch, with the learned threshold.</summary>
    public static string Cosines(IReadOnlyList<EpochMetrics> epochs)
    {
        SvgChart chart = new SvgChart("Cosines per epoch", new ChartAxis("epoch"), new ChartAxis("mean cosine"))
            .AddLine("target", [.. epochs.Select(e => ((double)e.Epoch, e.TargetCosine))], 1)
            .AddLine("hardest negative", [.. epochs.Select(e => ((double)e.Epoch, e.HardestNegativeCosine))], 2);
        if (epochs.Any(e => e.Threshold is not null))
        {
            chart.AddLine("learned threshold b / s", [.. epochs.Select(e => ((double)e.Epoch, e.Threshold ?? double.NaN))], 4, dashed: true);
        }

        return chart.ToSvg(epochs.Count == 0
            ? "no epochs"
            : $"at the end target {epochs[^1].TargetCosine:F2}, hardest negative {epochs[^1].HardestNegativeCosine:F2}");
    }

    /// <summary>Histograms of the target and hardest-negative cosines of an epoch, with the learned threshold.</summary>
    public static string CosineHistogram(string title, EpochMetrics epoch)
    {
        SvgChart chart = Histogram(title, "cosine with a class center", "share of images")
            .AddBars("own person (target)", Shares(epoch.TargetHistogram), -1, 1, 1)
            .AddBars("most similar other person", Shares(epoch.HardestNegativeHistogram), -1, 1, 2);
        if (epoch.Threshold is double threshold)
        {
            chart.AddMark($"learned threshold {threshold:F2}", threshold);
        }

        return chart.ToSvg($"mean target cosine {epoch.TargetCosine:F2}, mean hardest-negative cosine {epoch.HardestNegativeCosine:F2}");
    }

    /// <summary>Histograms of the scores of mated and non-mated pairs, with the calibrated threshold.</summary>
    public static string Scores(string title, VerificationScores scores, double? threshold)
    {
        const int Bins = 80;
        (double low, double high) = ScoreRange(scores);
        long[] same = new long[Bins], different = new long[Bins];
        for (int i = 0; i < scores.Count; i++)
        {
            if (!scores.IsMissing(i))
            {
                (scores.Same[i] ? same : different)[Math.Clamp((int)((scores.Scores[i] - low) / (high - low) * Bins), 0, Bins - 1)]++;
            }
        }

        SvgChart chart = new SvgChart(
                title, new ChartAxis("cosine of two images") { Min = low, Max = high }, new ChartAxis("share of pairs") { Min = 0, Percent = true })
            .AddBars("same person", Shares(same), low, high, 1)
            .AddBars("two people", Shares(different), low, high, 2);
        if (threshold is double at)
        {
            chart.AddMark($"calibrated threshold {at:F3}", at);
        }

        return chart.ToSvg($"{scores.SamePairs} pairs of one person, {scores.DifferentPairs} pairs of two people");
    }

    /// <summary>ROC curves over a logarithmic false match rate, from the smallest one that all curves support.</summary>
    public static string Roc(params IReadOnlyList<(string Name, RocCurve Curve)> curves)
    {
        double low = curves.Max(c => Math.Pow(10, Math.Ceiling(Math.Log10(1.0 / Math.Max(10, c.Curve.DifferentPairs)) - 1e-9)));
        double lowest = curves.Min(c => StartingAt(c.Curve, low).Select(p => p.TrueMatchRate).DefaultIfEmpty().First());
        double bottom = lowest >= 0.9 ? Math.Floor(lowest * 100) / 100 : Math.Floor(lowest * 10) / 10;
        ChartAxis x = new("false match rate (two people taken for one)", AxisScale.Log) { Min = low, Max = 1, Percent = true };
        return Compare(
            new SvgChart("ROC", x, new ChartAxis("true match rate") { Min = Math.Min(bottom, 0.99), Max = 1, Percent = true }),
            curves,
            curve => StartingAt(curve, low),
            curve => $"area {curve.Auc:F4}");
    }

    // The part of a curve from a false match rate on; its first point is moved to that rate.
    private static IEnumerable<(double FalseMatchRate, double TrueMatchRate)> StartingAt(RocCurve curve, double low)
    {
        IEnumerable<RocPoint> before = curve.Points.TakeWhile(p => p.FalseMatchRate <= low);
        return curve.Points.Where(p => p.FalseMatchRate > low).Select(p => (p.FalseMatchRate, p.TrueMatchRate))
            .Prepend((low, before.Select(p => p.TrueMatchRate).DefaultIfEmpty().Last()));
    }

    /// <summary>DET curves on axes of normal deviates.</summary>
    public static string Det(params IReadOnlyList<(string Name, RocCurve Curve)> curves)
    {
        double low = Math.Max(SmallestRate(curves), 1e-4);
        return Compare(
            DetChart("DET", "false match rate", "false non-match rate", low),
            curves,
            curve => DetCurve.FromRoc(curve).Where(p => p.FalseMatchRate >= low && p.FalseMatchRate <= MaxErrorRate)
                .Select(p => (p.FalseMatchRate, p.FalseNonMatchRate)),
            curve => $"equal error rate {curve.EqualError().Rate:P2}");
    }

    /// <summary>Errors of open-set identification: FNIR at rank 1 against FPIR.</summary>
    public static string IdentificationDet(string name, IdentificationReport report)
    {
        double low = Math.Max(report.NonMated > 0 ? 1.0 / report.NonMated : 1, 1e-4);
        return DetChart("DET, 1:N", "false positive identification rate", "false negative identification rate", Math.Min(low, 0.5))
            .AddLine(name, [.. report.Det.Where(p => p.Fpir >= low && p.Fpir <= MaxErrorRate).Select(p => (p.Fpir, p.Fnir))])
            .ToSvg($"{name}: rank-1 hit rate {report.HitRate(1):P2}, {report.Mated} mated probes, {report.NonMated} non-mated");
    }

    /// <summary>How strongly losses pull an image towards its own center, against its angle to the center.</summary>
    public static string LossShapes(string title, params IReadOnlyList<LossShape> shapes)
    {
        ChartAxis x = new("angle to the own center (degrees)") { Min = 0, Max = LossShape.MaxDegrees };
        SvgChart chart = new(title, x, new ChartAxis("pull towards it (gradient / s)") { Min = 0 });
        foreach ((int i, LossShape shape) in shapes.Index())
        {
            chart.AddLine(shape.Name, shape.Points, 1 + (i % 5));
        }

        return chart.ToSvg(string.Join("; ", shapes.Select(shape => shape.Name)));
    }

    // To multiples of 0.05 around the scores: some models give cosines above 0.6 only.
    private static (double Low, double High) ScoreRange(VerificationScores scores)
    {
        const double Step = 0.05;
        double low = 1, high = -1;
        for (int i = 0; i < scores.Count; i++)
        {
            if (!scores.IsMissing(i))
            {
                (low, high) = (Math.Min(low, scores.Scores[i]), Math.Max(high, scores.Scores[i]));
            }
        }

        (low, high) = (Math.Max(-1, Step * Math.Floor(low / Step)), Math.Min(1, Step * Math.Ceiling(high / Step)));
        return low > high ? (-1, 1) : high - low >= Step / 2 ? (low, high) : (Math.Max(-1, low - Step), Math.Min(1, high + Step));
    }

    private static SvgChart Histogram(string title, string x, string y) =>
        new(title, new ChartAxis(x) { Min = -1, Max = 1 }, new ChartAxis(y) { Min = 0, Percent = true });

    private static SvgChart DetChart(string title, string x, string y, double low) => new(
        title,
        new ChartAxis(x, AxisScale.NormalDeviate) { Min = low, Max = MaxErrorRate, Percent = true },
        new ChartAxis(y, AxisScale.NormalDeviate) { Min = 0.001, Max = 0.95, Percent = true });

    // The last curve is solid blue; the curves to compare it with are dashed, the first of them gray.
    private static string Compare(
        SvgChart chart,
        IReadOnlyList<(string Name, RocCurve Curve)> curves,
        Func<RocCurve, IEnumerable<(double X, double Y)>> points,
        Func<RocCurve, string> describe)
    {
        foreach ((int i, (string name, RocCurve curve)) in curves.Index())
        {
            bool last = i + 1 == curves.Count;
            chart.AddLine(name, [.. points(curve)], last ? 1 : i == 0 ? 5 : 1 + i, dashed: !last);
        }

        return chart.ToSvg(string.Join("; ", curves.Select(c => $"{c.Name}: {describe(c.Curve)}")));
    }

    private static double SmallestRate(IReadOnlyList<(string Name, RocCurve Curve)> curves)
    {
        double smallest = curves.Min(c => Math.Clamp(1.0 / Math.Max(1, c.Curve.DifferentPairs), 1e-5, 0.1));
        return Math.Pow(10, Math.Floor(Math.Log10(smallest) + 1e-9));
    }

    private static double[] Shares(IReadOnlyList<long> counts)
    {
        double total = counts.Sum();
        return [.. counts.Select(c => total > 0 ? c / total : 0)];
    }
}
