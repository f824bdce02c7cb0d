using UniFace.Evaluation;
using UniFace.Training.Loop;
using UniFace.Training.Losses;

namespace UniFace.Cli.Reports;

/// <summary>The charts of training and evaluation in one style; each gives one self-contained SVG.</summary>
internal static class Charts
{
    /// <summary>The loss over the steps of a run.</summary>
    public static string Loss(IReadOnlyList<StepMetrics> steps) =>
        new SvgChart("Training loss", new ChartAxis("step"), new ChartAxis("loss", steps.Count > 0 && steps.All(s => s.Loss > 0) ? AxisScale.Log : AxisScale.Linear))
            .AddLine("mean loss of the steps since the point before", [.. steps.Select(s => ((double)s.Step, s.Loss))])
            .ToSvg(steps.Count == 0 ? "no steps" : FormattableString.Invariant($"from {steps[0].Loss:G4} to {steps[^1].Loss:G4} in {steps[^1].Step} steps"));

    /// <summary>The learning rate over the steps of a run.</summary>
    public static string LearningRate(IReadOnlyList<StepMetrics> steps) =>
        new SvgChart("Learning rate", new ChartAxis("step"), new ChartAxis("learning rate") { Min = 0 })
            .AddLine("learning rate", [.. steps.Select(s => ((double)s.Step, s.Lr))], 3)
            .ToSvg(steps.Count == 0 ? "no steps" : FormattableString.Invariant($"highest {steps.Max(s => s.Lr):G3}, last {steps[^1].Lr:G3}"));

    /// <summary>Mean target and hardest-negative cosine over the epochs, with the learned threshold.</summary>
    public static string Cosines(IReadOnlyList<EpochMetrics> epochs)
    {
        SvgChart chart = new SvgChart("Cosines over the epochs", new ChartAxis("epoch"), new ChartAxis("mean cosine"))
            .AddLine("target", [.. epochs.Select(e => ((double)e.Epoch, e.TargetCosine))], 1)
            .AddLine("hardest negative", [.. epochs.Select(e => ((double)e.Epoch, e.HardestNegativeCosine))], 2);
        if (epochs.Any(e => e.Threshold is not null))
        {
            chart.AddLine("learned threshold b / s", [.. epochs.Select(e => ((double)e.Epoch, e.Threshold ?? double.NaN))], 4, dashed: true);
        }

        return chart.ToSvg(epochs.Count == 0 ? "no epochs" : FormattableString.Invariant($"at the end target {epochs[^1].TargetCosine:F2}, hardest negative {epochs[^1].HardestNegativeCosine:F2}"));
    }

    /// <summary>Histograms of target and hardest-negative cosines of one epoch, with the learned threshold drawn in.</summary>
    /// <param name="title">"Before training", "After training".</param>
    /// <param name="epoch">The epoch; its histograms go from -1 to 1.</param>
    public static string CosineHistogram(string title, EpochMetrics epoch)
    {
        SvgChart chart = new SvgChart(title, new ChartAxis("cosine with a class center") { Min = -1, Max = 1 }, new ChartAxis("share of pictures") { Min = 0, Percent = true })
            .AddBars("own person (target)", Shares(epoch.TargetHistogram), -1, 1, 1)
            .AddBars("most alike other person", Shares(epoch.HardestNegativeHistogram), -1, 1, 2);
        if (epoch.Threshold is double threshold)
        {
            chart.AddMark(FormattableString.Invariant($"learned threshold {threshold:F2}"), threshold);
        }

        return chart.ToSvg(FormattableString.Invariant($"mean target cosine {epoch.TargetCosine:F2}, mean hardest-negative cosine {epoch.HardestNegativeCosine:F2}"));
    }

    /// <summary>Histograms of the scores of pairs of one person and of two, with the decision threshold.</summary>
    public static string Scores(string title, VerificationScores scores, double? threshold)
    {
        const int Bins = 80;
        double[] same = new double[Bins], different = new double[Bins];
        for (int i = 0; i < scores.Count; i++)
        {
            if (!scores.IsMissing(i))
            {
                int bin = Math.Clamp((int)((scores.Scores[i] + 1) / 2 * Bins), 0, Bins - 1);
                (scores.Same[i] ? same : different)[bin]++;
            }
        }

        SvgChart chart = new SvgChart(title, new ChartAxis("cosine of two pictures") { Min = -1, Max = 1 }, new ChartAxis("share of pairs") { Min = 0, Percent = true })
            .AddBars("same person", Shares(same), -1, 1, 1)
            .AddBars("two people", Shares(different), -1, 1, 2);
        if (threshold is double at)
        {
            chart.AddMark(FormattableString.Invariant($"calibrated threshold {at:F2}"), at);
        }

        return chart.ToSvg(FormattableString.Invariant($"{scores.SamePairs} pairs of one person, {scores.DifferentPairs} pairs of two people"));
    }

    /// <summary>ROC curves over a logarithmic false match rate.</summary>
    public static string Roc(params ReadOnlySpan<(string Name, RocCurve Curve)> curves)
    {
        SvgChart chart = new("ROC", new ChartAxis("false match rate (two people taken for one)", AxisScale.Log) { Min = SmallestRate(curves), Max = 1, Percent = true }, new ChartAxis("true match rate") { Min = 0, Max = 1, Percent = true });
        List<string> words = [];
        for (int i = 0; i < curves.Length; i++)
        {
            chart.AddLine(curves[i].Name, [.. curves[i].Curve.Points.Select(p => (p.FalseMatchRate, p.TrueMatchRate))], Color(i, curves.Length), i + 1 < curves.Length);
            words.Add(FormattableString.Invariant($"{curves[i].Name}: area {curves[i].Curve.Auc:F4}"));
        }

        return chart.ToSvg(string.Join("; ", words));
    }

    /// <summary>DET curves on axes of normal deviates.</summary>
    public static string Det(params ReadOnlySpan<(string Name, RocCurve Curve)> curves)
    {
        double low = Math.Max(SmallestRate(curves), 1e-4);
        SvgChart chart = new("DET", new ChartAxis("false match rate", AxisScale.NormalDeviate) { Min = low, Max = 0.8, Percent = true }, new ChartAxis("false non-match rate", AxisScale.NormalDeviate) { Min = 0.001, Max = 0.95, Percent = true });
        List<string> words = [];
        for (int i = 0; i < curves.Length; i++)
        {
            chart.AddLine(curves[i].Name, [.. DetCurve.FromRoc(curves[i].Curve).Where(p => p.FalseMatchRate >= low && p.FalseMatchRate <= 0.8).Select(p => (p.FalseMatchRate, p.FalseNonMatchRate))], Color(i, curves.Length), i + 1 < curves.Length);
            words.Add(FormattableString.Invariant($"{curves[i].Name}: equal error rate {curves[i].Curve.EqualError().Rate:P2}"));
        }

        return chart.ToSvg(string.Join("; ", words));
    }

    /// <summary>Open-set identification errors: FNIR at rank 1 against FPIR.</summary>
    public static string IdentificationDet(string name, IdentificationReport report)
    {
        double low = Math.Max(report.NonMated > 0 ? 1.0 / report.NonMated : 1, 1e-4);
        SvgChart chart = new("DET, 1:N", new ChartAxis("false positive identification rate", AxisScale.NormalDeviate) { Min = Math.Min(low, 0.5), Max = 0.8, Percent = true }, new ChartAxis("false negative identification rate", AxisScale.NormalDeviate) { Min = 0.001, Max = 0.95, Percent = true });
        chart.AddLine(name, [.. report.Det.Where(p => p.Fpir >= low && p.Fpir <= 0.8).Select(p => (p.Fpir, p.Fnir))], Color(0, 1), false);
        return chart.ToSvg(FormattableString.Invariant($"{name}: rank-1 hit rate {report.Rank1:P2}, {report.Mated} mated probes, {report.NonMated} of strangers"));
    }

    /// <summary>How hard losses pull a picture towards its own center, against the angle that is left.</summary>
    /// <param name="title">Title of the chart.</param>
    /// <param name="shapes">Up to five shapes.</param>
    public static string LossShapes(string title, IReadOnlyList<LossShape> shapes)
    {
        SvgChart chart = new(title, new ChartAxis("angle to the own center (degrees)") { Min = 0, Max = 120 }, new ChartAxis("pull towards it (gradient / s)") { Min = 0 });
        for (int i = 0; i < shapes.Count; i++)
        {
            chart.AddLine(shapes[i].Name, [.. shapes[i].Points.Select(p => (p.Degrees, p.Pull))], 1 + (i % 5));
        }

        return chart.ToSvg(string.Join("; ", shapes.Select(s => s.Name)));
    }

    // The newest curve, the last, is blue and solid; what it is compared with is grey and dashed.
    private static int Color(int i, int count) => i + 1 == count ? 1 : i == 0 ? 5 : 1 + i;

    private static double SmallestRate(ReadOnlySpan<(string Name, RocCurve Curve)> curves)
    {
        double smallest = 0.1;
        foreach ((string _, RocCurve curve) in curves)
        {
            smallest = Math.Min(smallest, Math.Max(1e-5, 1.0 / Math.Max(1, curve.DifferentPairs)));
        }

        return Math.Pow(10, Math.Floor(Math.Log10(smallest) + 1e-9));
    }

    private static double[] Shares(IReadOnlyList<long> counts) => Shares([.. counts.Select(c => (double)c)]);

    private static double[] Shares(double[] counts)
    {
        double total = counts.Sum();
        return [.. counts.Select(c => total > 0 ? c / total : 0)];
    }
}
