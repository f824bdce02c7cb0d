using UniFace.Cli.Reports;
using UniFace.Evaluation.Verification;
using UniFace.Packages;
using UniFace.Statistics;
using UniFace.Training.Backbones;
using UniFace.Training.Head.Margins;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Cli.Demo;

/// <summary>The demo's report: images and charts, each with an explanation.</summary>
internal sealed class DemoReport(DemoSummary summary, DemoResults results, DemoPeople trained)
{
    private readonly DemoPlan plan = results.Plan;
    private readonly DemoGallery gallery = results.Gallery;
    private readonly DemoPeople unseen = results.Unseen;
    private readonly Loss loss = results.Options.Loss;

    /// <summary>The page.</summary>
    public string ToHtml()
    {
        HtmlReport report = new(
            "UniFace demo: from images to an identity",
            $"A network was trained on {summary.TrainImages} images of {summary.TrainPeople} people in {Time(summary.StepSeconds["train"])}, tested on " +
            $"{summary.UnseenPeople} people it never saw, exported, and used to identify people.");
        report.Note(
            $"All faces here are synthetic: the demo draws them, of people it invents, from seed {plan.Seed}. They show that every part works, and how. " +
            "The numbers say nothing about real faces, which are far harder; only an evaluation on real photos shows how well a model works on them.");
        report.Tiles(
            (
                Percent(summary.Before.Accuracy) + " to " + Percent(summary.After.Accuracy),
                "correct decisions on pairs of unseen people, before and after training"),
            (Percent(summary.After.Eer), "equal error rate (both errors are equally frequent)"),
            (Percent(summary.After.TarAtFmr), $"true matches at one false match in {1 / plan.FalseMatchRate:F0}"),
            (summary.Identified ? "recognized" : "NOT recognized", "an enrolled person"),
            (summary.Rejected ? "rejected" : "NOT rejected", "a stranger"),
            ($"{summary.ImagesPerSecond:F0}/s", "training images per second"));
        Faces(report);
        Training(report);
        MarginAndScale(report);
        Verification(report);
        Identification(report);
        Next(report);
        RunInfo info = results.Training.Info;
        return report.ToHtml(
            $"Made by UniFace {info.ToolVersion}. Backbone {summary.Backbone}, loss {summary.Loss}, seed {plan.Seed}, training data {info.DataHash[..16]}, " +
            $"model contract {summary.ContractId}.");
    }

    private void Faces(HtmlReport report)
    {
        report.Heading("The faces");
        report.Figures(new ReportFigure(
            $"{trained.People} of the {plan.TrainPeople} people trained on, one per row",
            HtmlReport.Image(
                ImageGrid.Compose(trained.Images, trained.ImagesEach),
                $"Contact sheet: {trained.People} rows, each with {trained.ImagesEach} images of one invented person"),
            "What makes a person stays the same: the shape of face, eyes, brows, nose, mouth and ears, hair, moles. Everything else differs between images: " +
            "pose, expression, light, color, glasses, occlusion, blur and noise. The network has to learn which is which; it is only told which images " +
            "belong together."));
    }

    private void Training(HtmlReport report)
    {
        IReadOnlyList<EpochMetrics> epochs = results.Training.Epochs;
        IReadOnlyList<StepMetrics> steps = results.Training.Steps;
        report.Heading("Training");
        report.Paragraph(
            $"The loss {loss.Name} gives each person a direction, the class center, and compares every image with every center by the cosine of the angle " +
            "between them. All share one learned threshold b: cosines with the own center should be above it, all others below. A face recognition system " +
            "needs such a threshold later, when it must say yes or no.");
        report.Figures(
            new ReportFigure(
                "Before training",
                Charts.CosineHistogram("Cosines before training", epochs[0]),
                "Blue: how similar each image is to its own center. Orange: how similar it is to the most similar other center. At the start the network " +
                "knows nobody: the own center is no closer than others, and the closest of the many others is closer by chance."),
            new ReportFigure(
                "After training",
                Charts.CosineHistogram("Cosines after training", epochs[^1]),
                "The same after the last epoch. The further blue is to the right of the dashed line (the learned threshold, b / s) and orange to its left, " +
                "the better one threshold separates all people."),
            new ReportFigure(
                "Loss",
                Charts.Loss(steps),
                "The average error of the network during training; lower is better. It should fall fast, then slowly. If it does not fall at all, use a " +
                "smaller margin m or scale s."),
            new ReportFigure(
                "Cosines per epoch",
                Charts.Cosines(epochs),
                "The means of the two histograms after each epoch, and the threshold between them as it is learned."),
            new ReportFigure(
                "Learning rate",
                Charts.LearningRate(steps),
                "The size of each step. It warms up, because large first steps do harm to random weights, and then decreases so that the weights settle."));
    }

    private void MarginAndScale(HtmlReport report)
    {
        LossShape Shape(string name, Loss shaped) => LossShape.Measure(name, shaped, plan.TrainPeople);
        LossShape Margin(string value) => Shape("m = " + value, loss.With("margin", value));
        LossShape Scale(string value) => Shape("s = " + value, loss.With("scale", value));
        report.Heading("What m and s do");
        report.Paragraph(
            $"An image is at some angle to its own center; the other {plan.TrainPeople - 1} centers are at a right angle. The curves show how strongly the " +
            "loss then pulls the image towards its center, computed by the loss itself at its start. Where a curve is close to zero, the loss is satisfied.");
        report.Figures(
            new ReportFigure(
                "The margin m",
                Charts.LossShapes("Pull for different margins", Margin("0"), Margin("0.2"), Margin("0.4"), Margin("0.6")),
                "A larger margin still pulls when the image is already close to its center: people become more compact and further apart. With too large a " +
                "margin the pull never ends, and the training may not converge."),
            new ReportFigure(
                "The scale s",
                Charts.LossShapes("Pull for different scales", Scale("8"), Scale("16"), Scale("32"), Scale("64")),
                "A larger scale makes the transition from 'wrong, pull hard' to 'right, stop' sharper: a few hard images then decide what is learned. " +
                "A small one always pulls on every image a little."),
            new ReportFigure(
                "Other losses",
                Charts.LossShapes(
                    "Pull of different losses",
                    Shape("uce (this demo)", loss), Shape("normface", new NormFace()), Shape("cosface", new CosFace()), Shape("arcface", new ArcFace())),
                "The same for other losses with the values of their papers. Normface, a plain softmax, stops as soon as the own center is closer than the " +
                "others; cosface and arcface add margins to it; the unified loss compares each cosine with one common threshold instead."));
    }

    private void Verification(HtmlReport report)
    {
        VerificationReport a = results.Before.Result.Report, b = results.After.Result.Report;
        report.Heading("How well it tells unseen people apart");
        report.Paragraph(
            $"Each of the {unseen.Images.Length} images of {unseen.People} people who were not trained on was compared with every other: {b.SamePairs} pairs " +
            $"of one person, {b.DifferentPairs} of two. \"Trained\" is the exported package, run by ONNX Runtime.");
        report.Figures(
            new ReportFigure(
                "Scores, untrained",
                Charts.Scores("Scores of pairs, untrained", results.Before.Result.Scores, null),
                "Blue: pairs of one person. Orange: pairs of two people. To the untrained network nearly all pairs look alike."),
            new ReportFigure(
                "Scores, trained",
                Charts.Scores("Scores of pairs, trained", results.After.Result.Scores, gallery.Threshold),
                "After training the two distributions separate. Pairs to the right of the dashed line count as one person. Blue to its left is a person not " +
                "recognized; orange to its right is two people taken for one."),
            new ReportFigure(
                "ROC",
                Charts.Roc(("untrained", a.Roc), ("trained", b.Roc)),
                "For each threshold: how often two people are taken for one (to the right, logarithmic) and how often one person is recognized (up). The " +
                "closer to the upper left corner, the better."),
            new ReportFigure(
                "DET",
                Charts.Det(("untrained", a.Roc), ("trained", b.Roc)),
                "The two errors against each other, on axes that spread out the small ones. The closer to the lower left corner, the better."));
        CrossValidatedAccuracy? was = results.Before.Result.Accuracy, now = results.After.Result.Accuracy;
        List<IReadOnlyList<string>> rows =
        [
            ["", "untrained", "trained", "95 % interval (trained)"],
            ["Accuracy (10 folds)", Percent(was?.Mean), Percent(now?.Mean), now is null ? "" : "± " + Percent(1.96 * now.StandardError)],
            ["Area under ROC", $"{a.Auc:F4}", $"{b.Auc:F4}", Interval(b.AucInterval, v => $"{v:F4}")],
            ["Equal error rate", Percent(a.EqualError.Rate), Percent(b.EqualError.Rate), Interval(b.EqualErrorInterval, v => Percent(v))],
        ];
        rows.AddRange(b.OperatingPoints.Where(p => p.TrueMatchRate is not null).Select(point => (IReadOnlyList<string>)
        [
            $"True matches at FMR {OperatingPoint.FormatRate(point.TargetFalseMatchRate)}",
            Percent(results.Before.At(point.TargetFalseMatchRate).TrueMatchRate),
            Percent(point.TrueMatchRate),
            Interval(point.TrueMatchRateInterval, v => Percent(v)),
        ]));
        report.Table(rows);
        CalibrationEntry? entry = results.Calibration.Entries.FirstOrDefault(e => e.FalseMatchRate == plan.DecisionRate);
        report.Paragraph(
            $"The threshold {gallery.Threshold:F3} comes from a third group of {plan.CalibrationPeople} people " +
            $"({results.Calibration.Data.DifferentPairs} pairs of two): it is the lowest that accepts at most one such pair in {1 / plan.DecisionRate:F0} (95 % interval of the threshold " +
            $"{entry?.ThresholdLow:F3} to {entry?.ThresholdHigh:F3}). It is stored in the package's calibration.json.");
        report.Heading("Pairs and their scores");
        report.Paragraph(
            "Evenly drawn pairs of each kind, and the hardest of all: the least similar images of one person and the most similar images of two.");
        report.Pairs(Samples());
    }

    private void Identification(HtmlReport report)
    {
        report.Heading("Who is it?");
        report.Paragraph(
            $"{plan.GalleryPeople} of the unseen people were enrolled with {plan.Templates} plain images each. Then all other images were identified: " +
            "the best score must reach the threshold, or the answer is \"unknown\". A stranger is compared with everybody enrolled, so the threshold is stricter than " +
            "for a single pair.");
        report.Figures(
            new ReportFigure(
                "The gallery",
                HtmlReport.Image(
                    ImageGrid.Compose([.. gallery.Enrolled.Select(i => unseen.Images[i])], plan.Templates * 2),
                    $"{plan.GalleryPeople} enrolled people, {plan.Templates} images each"),
                $"{plan.Templates} images per person, two people per row, starting with {unseen.Name(0)}."),
            Probe("An enrolled person", gallery.Known, gallery.KnownImage),
            Probe("A stranger", gallery.Unknown, gallery.UnknownImage));
        DemoIdentification counts = summary.Gallery;
        report.Table(
        [
            ["All other images", "probes", "correct", "share"],
            Row("of enrolled people: recognized", counts.Mated, counts.MatedRight),
            Row("of strangers: rejected", counts.NonMated, counts.NonMatedRight),
        ]);

        static string[] Row(string what, int probes, int right) => [what, $"{probes}", $"{right}", Percent(probes > 0 ? (double)right / probes : null)];
    }

    private ReportFigure Probe(string title, DemoProbe probe, int image) => new(
        title,
        HtmlReport.Image(unseen.Images[image], title),
        $"{probe.Describe()}. Nearest in the gallery: {probe.Nearest}; the threshold is {gallery.Threshold:F2}.");

    private void Next(HtmlReport report)
    {
        report.Heading("What next");
        report.Commands(
            ("uniface align PHOTOS FACES", "finds and aligns the faces in your own photos, one folder per person."),
            ("uniface train FACES --loss uce --backbone mobilefacenet --out RUN", "trains on them."),
            ("uniface eval RUN --pairs lfw-pairs.txt --images LFW", "measures the model on real photos, by a published protocol."),
            ("uniface export RUN --out PACKAGE", "writes the package that applications load."),
            ("uniface verify PACKAGE A.jpg B.jpg", "says whether two photos show one person."));
        report.Table([["Step", "seconds"], .. summary.StepSeconds.Select(step => (string[])[step.Key, $"{step.Value:F1}"])]);
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

    private static string Interval(ConfidenceInterval? interval, Func<double, string> text) =>
        interval is ConfidenceInterval i ? $"{text(i.Low)} to {text(i.High)}" : "";

    private static string Percent(double? value) => value is double v ? $"{100 * v:F1} %" : "not measurable";

    private static string Time(double seconds) => seconds < 90 ? $"{seconds:F0} seconds" : $"{seconds / 60:F1} minutes";
}
