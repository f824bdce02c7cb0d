using System.Globalization;
using UniFace.Cli.Reports;
using UniFace.Evaluation;
using UniFace.Faces;
using UniFace.Packages;
using UniFace.Training.Backbones;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Cli.Demo;

/// <summary>The demo's report: every picture with what it shows in plain words.</summary>
internal sealed class DemoReport(
    DemoPlan plan,
    DemoSummary summary,
    DemoTraining training,
    DemoEvaluation before,
    DemoEvaluation after,
    Calibration calibration,
    DemoGallery gallery,
    DemoPeople unseen,
    DemoPeople trained,
    TrainOptions options)
{
    private static readonly string[] Margins = ["0", "0.2", "0.4", "0.6"];
    private static readonly string[] Scales = ["8", "16", "32", "64"];

    /// <summary>The page.</summary>
    public string ToHtml()
    {
        HtmlReport report = new(
            "UniFace demo: from pictures to an identity",
            $"A network was trained on {summary.TrainImages} pictures of {summary.TrainPeople} people in {Time(summary.StepSeconds["train"])}, tested on {summary.UnseenPeople} people it never saw, exported, and asked who is who.");
        report.Note("All faces here are synthetic: drawn by the demo, of people it invents, from seed " + plan.Seed + ". They show that every part works, and how. The numbers say nothing about real faces: those are far harder, and only an evaluation on real photos can tell how well a model does on them.");
        report.Tiles(
            (Percent(summary.Before.Accuracy) + " to " + Percent(summary.After.Accuracy), "right decisions on pairs of unseen people, before and after training"),
            (Percent(summary.After.Eer), "equal error rate (both errors equally frequent)"),
            (Percent(summary.After.TarAtFmr), $"true matches at one false match in {1 / plan.FalseMatchRate:F0}"),
            (summary.Identified ? "recognised" : "NOT recognised", "an enrolled person"),
            (summary.Rejected ? "rejected" : "NOT rejected", "a stranger"),
            (FormattableString.Invariant($"{summary.ImagesPerSecond:F0}/s"), "pictures trained on a second"));
        Faces(report);
        Training(report);
        MarginAndScale(report);
        Verification(report);
        Identification(report);
        Next(report);
        return report.ToHtml($"Made by UniFace {training.Info.ToolVersion}. Backbone {summary.Backbone}, loss {summary.Loss}, seed {plan.Seed}, training data {training.Info.DataHash[..16]}, model contract {summary.ContractId}.");
    }

    private void Faces(HtmlReport report)
    {
        report.Heading("The faces");
        report.Figures(new ReportFigure(
            $"{trained.People} of the {plan.TrainPeople} people trained on, a row a person",
            HtmlReport.Image(ImageGrid.Compose(trained.Pictures, trained.ImagesEach), $"Contact sheet: {trained.People} rows, each with {trained.ImagesEach} pictures of one invented person"),
            "What makes a person stays: the shape of face, eyes, brows, nose, mouth and ears, hair, moles. What does not is different in each picture: pose, expression, light, colour, glasses, things in front, blur and noise. The network has to find out which is which; it is only told which pictures belong together."));
    }

    private void Training(HtmlReport report)
    {
        EpochMetrics first = training.Epochs[0], last = training.Epochs[^1];
        report.Heading("Training");
        report.Paragraph($"The loss {options.Loss.Name} gives each person a direction, the class center, and compares every picture with every center by the cosine of the angle between them. There is one threshold b for all, learned along: cosines with the own center should lie above it, all others below. One threshold for everybody is what a face recognition system needs later, when it must say yes or no.");
        report.Figures(
            new ReportFigure("Before training", Charts.CosineHistogram("Cosines before training", first), "Blue: how alike each picture is to its own center. Orange: how alike to the most alike other center. At the start the network knows nobody: the own center is no nearer than others, and the nearest of the many others is nearer by chance."),
            new ReportFigure("After training", Charts.CosineHistogram("Cosines after training", last), "The same for the last epoch. The further blue lies right of the dashed line (the learned threshold, b / s) and orange left of it, the better one threshold separates all people."),
            new ReportFigure("Loss", Charts.Loss(training.Steps), "How wrong the network is, on average, over the training; lower is better. It should fall fast, then slowly. If it does not fall at all, a smaller margin m or scale s helps."),
            new ReportFigure("Cosines over the epochs", Charts.Cosines(training.Epochs), "The means of the two histograms after each epoch, and the threshold between them as it learns its place."),
            new ReportFigure("Learning rate", Charts.LearningRate(training.Steps), "How far each step goes: it warms up, because large first steps on random weights do harm, then falls so that the end settles."));
    }

    private void MarginAndScale(HtmlReport report)
    {
        int people = plan.TrainPeople;
        LossShape Of(string name, Loss spec) => LossShape.Measure(name, spec, people);
        report.Heading("What m and s do");
        report.Paragraph($"A picture stands at some angle to its own center; all other {people - 1} centers stand at a right angle. The curves show how hard the loss then pulls the picture towards its center, measured from the real loss at its start. Where a curve is near zero the loss is content.");
        report.Figures(
            new ReportFigure("The margin m", Charts.LossShapes("Pull for different margins", [.. Margins.Select(v => Of("m = " + v, options.Loss.With("margin", v)))]), "A larger margin keeps pulling when the picture is already near its center: people are packed more tightly and lie further apart. Too large a margin never rests and the training may not settle."),
            new ReportFigure("The scale s", Charts.LossShapes("Pull for different scales", [.. Scales.Select(v => Of("s = " + v, options.Loss.With("scale", v)))]), "A larger scale makes the step from 'wrong, pull hard' to 'right, rest' sharper: few hard pictures then decide what is learned. A small one pulls on everything a little, always."),
            new ReportFigure("Other losses", Charts.LossShapes("Pull of different losses", [Of("uce (this demo)", options.Loss), Of("normface", new NormFace()), Of("cosface", new CosFace()), Of("arcface", new ArcFace())]), "The same question to the other losses with the values of their papers. Normface, a plain softmax, rests as soon as the own center is nearer than the others; cosface and arcface add margins to it; the unified loss asks each cosine to pass one common threshold instead."));
    }

    private void Verification(HtmlReport report)
    {
        report.Heading("How well it tells unseen people apart");
        report.Paragraph($"Each of the {unseen.Pictures.Length} pictures of {unseen.People} people that were not trained on was compared with each other one: {after.Result.Report.SamePairs} pairs of one person, {after.Result.Report.DifferentPairs} of two. \"Trained\" is the exported package, run by ONNX Runtime.");
        report.Figures(
            new ReportFigure("Scores, untrained", Charts.Scores("Scores of pairs, untrained", before.Result.Scores, null), "Blue: pairs of one person. Orange: pairs of two people. Untrained, nearly all pairs look alike to the network."),
            new ReportFigure("Scores, trained", Charts.Scores("Scores of pairs, trained", after.Result.Scores, gallery.Threshold), "After training the two hills come apart. Pairs right of the dashed line count as one person. What is blue left of it is a person not recognised; what is orange right of it is two people taken for one."),
            new ReportFigure("ROC", Charts.Roc(("untrained", before.Result.Report.Roc), ("trained", after.Result.Report.Roc)), "For each strictness: how often two people are taken for one (to the right, each line ten times more) and how often one person is recognised (up). The nearer the upper left corner the better."),
            new ReportFigure("DET", Charts.Det(("untrained", before.Result.Report.Roc), ("trained", after.Result.Report.Roc)), "The two errors against each other, on axes that spread out the small ones; the nearer the lower left corner the better."));
        List<IReadOnlyList<string>> rows = [["", "untrained", "trained", "95 % interval (trained)"]];
        VerificationReport a = before.Result.Report, b = after.Result.Report;
        rows.Add(["Accuracy (10 folds)", Percent(before.Result.Accuracy?.Mean), Percent(after.Result.Accuracy?.Mean), after.Result.Accuracy is { } accuracy ? "± " + Percent(1.96 * accuracy.StandardError) : ""]);
        rows.Add(["Area under ROC", Number(a.Auc), Number(b.Auc), Interval(b.AucInterval, Number)]);
        rows.Add(["Equal error rate", Percent(a.EqualError.Rate), Percent(b.EqualError.Rate), Interval(b.EqualErrorInterval, v => Percent(v))]);
        foreach (OperatingPoint point in b.OperatingPoints.Where(p => p.TrueMatchRate is not null))
        {
            rows.Add([$"True matches at FMR {OperatingPoint.NameOf(point.TargetFalseMatchRate)}", Percent(before.At(point.TargetFalseMatchRate).TrueMatchRate), Percent(point.TrueMatchRate), Interval(point.TrueMatchRateInterval, v => Percent(v))]);
        }

        report.Table(rows);
        CalibrationEntry? entry = calibration.Entries.FirstOrDefault(e => e.FalseMatchRate == plan.DecisionRate);
        report.Paragraph(FormattableString.Invariant($"The threshold {gallery.Threshold:F3} comes from a third group of {plan.CalibrationPeople} people ({calibration.Data.DifferentPairs} pairs of two): it is the lowest that lets through at most one such pair in {1 / plan.DecisionRate:F0} (95 % interval of the threshold {entry?.ThresholdLow:F3} to {entry?.ThresholdHigh:F3}). It is stored in the package's calibration.json."));
        report.Heading("Pairs and their scores");
        report.Paragraph("Of each kind some drawn evenly, and the hardest of all: the least alike pictures of one person, the most alike pictures of two.");
        report.Pairs(Samples());
    }

    private void Identification(HtmlReport report)
    {
        report.Heading("Who is it?");
        report.Paragraph($"{plan.GalleryPeople} of the unseen people were enrolled with {plan.Templates} plain pictures each. Then pictures that were not enrolled asked to be recognised; the best score must reach the threshold, else the answer is \"unknown\". A stranger is compared with everybody enrolled, so the threshold is stricter than for a single pair.");
        RgbImage[] enrolled = [.. gallery.Enrolled.Select(i => unseen.Pictures[i])];
        report.Figures(
            new ReportFigure("The gallery", HtmlReport.Image(ImageGrid.Compose(enrolled, plan.Templates * 2), $"{plan.GalleryPeople} enrolled people, {plan.Templates} pictures each"), $"{plan.Templates} pictures a person, two people a row, beginning with {unseen.Name(0)}."),
            Probe("An enrolled person asks", gallery.Known, gallery.KnownPicture),
            Probe("A stranger asks", gallery.Unknown, gallery.UnknownPicture));
        DemoIdentification counts = summary.Gallery;
        report.Table(
        [
            ["All other pictures", "asked", "right", "share"],
            ["of enrolled people: recognised", Text(counts.Mated), Text(counts.MatedRight), Percent(counts.Mated > 0 ? (double)counts.MatedRight / counts.Mated : null)],
            ["of strangers: rejected", Text(counts.NonMated), Text(counts.NonMatedRight), Percent(counts.NonMated > 0 ? (double)counts.NonMatedRight / counts.NonMated : null)],
        ]);
    }

    private ReportFigure Probe(string title, DemoProbe probe, int picture) => new(
        title,
        HtmlReport.Image(unseen.Pictures[picture], title),
        FormattableString.Invariant($"{DemoGallery.Words(probe)}. Nearest in the gallery: {probe.Nearest}; the threshold is {gallery.Threshold:F2}."));

    private void Next(HtmlReport report)
    {
        report.Heading("What next");
        report.Commands(
            ("uniface align PHOTOS FACES", "finds and aligns the faces in your own photos, a folder a person."),
            ("uniface train FACES --loss uce --backbone mobilefacenet --out RUN", "trains on them."),
            ("uniface eval RUN --pairs lfw-pairs.txt --images LFW", "measures on real photos, as published."),
            ("uniface export RUN --out PACKAGE", "makes the package that an application loads."),
            ("uniface verify PACKAGE A.jpg B.jpg", "says whether two photos show one person."));
        List<IReadOnlyList<string>> rows = [["Step", "seconds"]];
        rows.AddRange(summary.StepSeconds.Select(step => (IReadOnlyList<string>)[step.Key, step.Value.ToString("F1", CultureInfo.InvariantCulture)]));
        report.Table(rows);
    }

    private List<ReportPair> Samples()
    {
        List<(int A, int B, double Score, bool Same)> pairs = [];
        int count = unseen.Pictures.Length;
        for (int i = 0; i < count; i++)
        {
            for (int j = i + 1; j < count; j++)
            {
                pairs.Add((i, j, after.Embedded.Cosine(i, j), unseen.Labels[i] == unseen.Labels[j]));
            }
        }

        (int A, int B, double Score, bool Same)[] same = [.. pairs.Where(p => p.Same).OrderBy(p => p.Score)], different = [.. pairs.Where(p => !p.Same).OrderByDescending(p => p.Score)];
        return [.. Even(same, 6), .. same.Take(4).Select(Show), .. Even(different, 4), .. different.Take(4).Select(Show)];

        IEnumerable<ReportPair> Even((int A, int B, double Score, bool Same)[] from, int number) =>
            Enumerable.Range(0, Math.Min(number, from.Length)).Select(i => Show(from[(int)((i + 0.5) * from.Length / number)]));

        ReportPair Show((int A, int B, double Score, bool Same) pair) =>
            new(unseen.Pictures[pair.A], unseen.Pictures[pair.B], pair.Score, pair.Same, pair.Score >= gallery.Threshold);
    }

    private static string Interval(ConfidenceInterval? interval, Func<double, string> text) => interval is ConfidenceInterval i ? $"{text(i.Low)} to {text(i.High)}" : "";

    private static string Percent(double? value) => value is double v ? (v * 100).ToString("F1", CultureInfo.InvariantCulture) + " %" : "not measurable";

    private static string Number(double value) => value.ToString("F4", CultureInfo.InvariantCulture);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Time(double seconds) => seconds < 90 ? FormattableString.Invariant($"{seconds:F0} seconds") : FormattableString.Invariant($"{seconds / 60:F1} minutes");
}
