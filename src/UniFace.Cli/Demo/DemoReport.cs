using UniFace.Cli.Eval;

namespace UniFace.Cli.Demo;

/// <summary>Fills report.html with the demo's results.</summary>
internal sealed class DemoReport(DemoResults results, DemoPeople trained)
{
    private readonly DemoPlan plan = results.Plan;
    private readonly DemoGallery gallery = results.Gallery;
    private readonly DemoPeople unseen = results.Unseen;
    private readonly Loss loss = results.Options.Loss;

    /// <summary>The page.</summary>
    public string ToHtml()
    {
        double seconds = results.StepSeconds["train"];
        return Html.Fill(EmbeddedText.Read("report.html"), Markup(), new
        {
            results,
            plan,
            gallery,
            trained,
            unseen,
            report = results.After.Result.Report,
            entry = results.Calibration.Entries.FirstOrDefault(e => e.FalseMatchRate == plan.DecisionRate),
            trainImages = plan.TrainPeople * plan.TrainImages,
            trainTime = seconds < 90 ? $"{seconds:F0} seconds" : $"{seconds / 60:F1} minutes",
            otherPeople = plan.TrainPeople - 1,
            falseMatchesIn = 1 / plan.FalseMatchRate,
            decisionIn = 1 / plan.DecisionRate,
            identified = gallery.Known.Right ? "recognized" : "NOT recognized",
            rejected = gallery.Unknown.Right ? "rejected" : "NOT rejected",
            firstPerson = unseen.Name(0),
            known = gallery.Known.Describe(),
            unknown = gallery.Unknown.Describe(),
            dataHash = results.Training.Info.DataHash[..16],
        });
    }

    private Dictionary<string, string> Markup()
    {
        LossShape Shape(string name, Loss shaped) => LossShape.Measure(name, shaped, plan.TrainPeople);
        LossShape Margin(string value) => Shape("m = " + value, loss.With("margin", value));
        LossShape Scale(string value) => Shape("s = " + value, loss.With("scale", value));
        IReadOnlyList<EpochMetrics> epochs = results.Training.Epochs;
        IReadOnlyList<StepMetrics> steps = results.Training.Steps;
        ValidationResult before = results.Before.Result, after = results.After.Result;
        return new Dictionary<string, string>
        {
            ["facesImage"] = Html.Image(
                ImageGrid.Compose(trained.Images, trained.ImagesEach),
                $"Contact sheet: {trained.People} rows, each with {trained.ImagesEach} images of one invented person"),
            ["cosinesBeforeChart"] = Charts.CosineHistogram("Cosines before training", epochs[0]),
            ["cosinesAfterChart"] = Charts.CosineHistogram("Cosines after training", epochs[^1]),
            ["lossChart"] = Charts.Loss(steps),
            ["cosinesChart"] = Charts.Cosines(epochs),
            ["learningRateChart"] = Charts.LearningRate(steps),
            ["marginChart"] = Charts.LossShapes("Pull for different margins", Margin("0"), Margin("0.2"), Margin("0.4"), Margin("0.6")),
            ["scaleChart"] = Charts.LossShapes("Pull for different scales", Scale("8"), Scale("16"), Scale("32"), Scale("64")),
            ["lossesChart"] = Charts.LossShapes(
                "Pull of different losses",
                Shape("uce (this demo)", loss), Shape("normface", new NormFace()), Shape("cosface", new CosFace()), Shape("arcface", new ArcFace())),
            ["scoresBeforeChart"] = Charts.Scores("Scores of pairs, untrained", before.Scores, null),
            ["scoresAfterChart"] = Charts.Scores("Scores of pairs, trained", after.Scores, gallery.Threshold),
            ["rocChart"] = Charts.Roc(("untrained", before.Report.Roc), ("trained", after.Report.Roc)),
            ["detChart"] = Charts.Det(("untrained", before.Report.Roc), ("trained", after.Report.Roc)),
            ["verificationTable"] = Verification(before, after),
            ["pairs"] = Html.Pairs(Samples()),
            ["galleryImage"] = Html.Image(
                ImageGrid.Compose([.. gallery.Enrolled.Select(i => unseen.Images[i])], plan.Templates * 2),
                $"{plan.GalleryPeople} enrolled people, {plan.Templates} images each"),
            ["knownImage"] = Html.Image(unseen.Images[gallery.KnownImage], "An enrolled person"),
            ["unknownImage"] = Html.Image(unseen.Images[gallery.UnknownImage], "A stranger"),
            ["identificationTable"] = Html.Table(
            [
                ["All other images", "probes", "correct", "share"],
                Probes("of enrolled people: recognized", gallery.Counts.Mated, gallery.Counts.MatedRight),
                Probes("of strangers: rejected", gallery.Counts.NonMated, gallery.Counts.NonMatedRight),
            ]),
            ["stepsTable"] = Html.Table([["Step", "seconds"], .. results.StepSeconds.Select(step => (string[])[step.Key, $"{step.Value:F1}"])]),
        };

        static string[] Probes(string what, int probes, int right) => [what, $"{probes}", $"{right}", Percent(probes > 0 ? (double)right / probes : null)];
    }

    private string Verification(ValidationResult before, ValidationResult after)
    {
        VerificationReport a = before.Report, b = after.Report;
        return Html.Table(
        [
            ["", "untrained", "trained", "95 % interval (trained)"],
            [
                "Accuracy (10 folds)", Percent(before.Accuracy?.Mean), Percent(after.Accuracy?.Mean),
                after.Accuracy is null ? "" : "± " + Percent(1.96 * after.Accuracy.StandardError),
            ],
            ["Area under ROC", $"{a.Auc:F4}", $"{b.Auc:F4}", EvalOutput.Interval(b.Intervals?.Auc, v => $"{v:F4}")],
            ["Equal error rate", Percent(a.EqualError.Rate), Percent(b.EqualError.Rate), EvalOutput.Interval(b.Intervals?.EqualErrorRate, v => Percent(v))],
            .. b.OperatingPoints.Where(p => p.TrueMatchRate is not null).Select(point => (string[])
            [
                $"True matches at FMR {OperatingPoint.FormatRate(point.TargetFalseMatchRate)}",
                Percent(results.Before.At(point.TargetFalseMatchRate).TrueMatchRate),
                Percent(point.TrueMatchRate),
                EvalOutput.Interval(point.TrueMatchRateInterval, v => Percent(v)),
            ]),
        ]);
    }

    private List<ReportPair> Samples()
    {
        List<ReportPair> same = [], different = [];
        for (int i = 0; i < unseen.Images.Length; i++)
        {
            for (int j = i + 1; j < unseen.Images.Length; j++)
            {
                double score = results.After.Embedded.Cosine(i, j);
                bool mated = unseen.Labels[i] == unseen.Labels[j];
                (mated ? same : different).Add(new ReportPair(unseen.Images[i], unseen.Images[j], score, mated, score >= gallery.Threshold));
            }
        }

        same = [.. same.OrderBy(p => p.Score)];
        different = [.. different.OrderByDescending(p => p.Score)];
        return [.. Even(same, 6), .. same.Take(4), .. Even(different, 4), .. different.Take(4)];

        static IEnumerable<ReportPair> Even(List<ReportPair> from, int number) =>
            Enumerable.Range(0, Math.Min(number, from.Count)).Select(i => from[(int)((i + 0.5) * from.Count / number)]);
    }

    private static string Percent(double? value) => value is double v ? $"{100 * v:F1} %" : "not measurable";
}
