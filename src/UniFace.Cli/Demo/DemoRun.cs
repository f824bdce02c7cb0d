using UniFace.Data;
using UniFace.Embeddings;
using UniFace.Evaluation;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Training;
using UniFace.Training.Backbones;
using UniFace.Training.Export;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Runs;
using UniFace.Vision;
using UniFace.Vision.Onnx;
using UniFace.Vision.Procedural;

namespace UniFace.Cli.Demo;

/// <summary>
/// The whole way from pictures to an identity on faces that the demo invents: draw, train, evaluate, calibrate, export, enrol, identify.
/// Each step is the same code that the other commands use.
/// </summary>
internal sealed class DemoRun(DemoPlan plan, DemoFolder folder, DemoLog log, CancellationToken stop)
{
    /// <summary>Number of steps that the log counts.</summary>
    public const int Steps = 8;

    private readonly SkiaImageDecoder decoder = new();

    /// <summary>Goes the whole way.</summary>
    public DemoSummary Run(bool quick)
    {
        ProceduralFaces faces = new(plan.Seed, plan.Variation);
        int pictures = log.Step(
            "draw",
            $"Drawing faces of invented people: {plan.TrainPeople} to train on, {plan.UnseenPeople} to test on, {plan.CalibrationPeople} to calibrate on; nobody is in two groups",
            () => Draw(faces),
            count => $"{count} pictures in {Relative(Path.Combine(folder.Root, "faces"))}");
        DemoPeople unseen = DemoPeople.Load(folder.Unseen, plan.FirstUnseen, plan.UnseenPeople, plan.OtherImages, decoder);
        DemoPeople others = DemoPeople.Load(folder.Calibration, plan.FirstCalibration, plan.CalibrationPeople, plan.OtherImages, decoder);

        TrainOptions options = plan.Training(folder.Train);
        DemoEvaluation before = log.Step("evaluateBefore", "Testing the untrained model on the people it will never see", () => EvaluateUntrained(options, unseen), Describe);
        DemoTraining training = log.Step(
            "train",
            $"Training {options.Backbone} with {options.Loss.Name} (m = {options.Loss.Value("margin")}, s = {options.Loss.Value("scale")}), {options.Epochs} epochs",
            () => Train(options),
            t => FormattableString.Invariant($"{t.Result.Steps} steps, {t.Result.ImagesPerSecond:F0} images/s, loss {t.Result.Loss:F2}, learned threshold {t.Epochs[^1].Threshold:F2}"));

        ExportResult export = log.Step("export", "Exporting a model package; ONNX Runtime must give the trained embeddings", Export, e => FormattableString.Invariant($"{Relative(folder.Package)}, parity cosine {e.Parity.Cosine:F6}"));

        // From here on only the package is used, as an application would.
        using OnnxEmbedder embedder = Embedders.Open(ModelPackage.Open(folder.Package));
        DemoEvaluation after = log.Step("evaluate", "Testing the package on the people it never saw", () => Evaluate(embedder, unseen), Describe);
        Calibration calibration = log.Step("calibrate", "Calibrating: which score means 'same person', on the third group", () => Calibrate(embedder, others), c => FormattableString.Invariant($"threshold {c.ThresholdAt(plan.DecisionRate):F3} for one false match in {1 / plan.DecisionRate:F0}"));
        DemoGallery gallery = log.Step("identify", $"Enrolling {plan.GalleryPeople} of the unseen people and asking who is who", () => DemoGallery.RunAsync(plan, folder, faces, unseen, after.Embedded, embedder.Manifest, calibration, stop).GetAwaiter().GetResult(), g => g.Describe());
        DemoSummary summary = new()
        {
            Seed = plan.Seed,
            Quick = quick,
            TrainPeople = plan.TrainPeople,
            TrainImages = plan.TrainPeople * plan.TrainImages,
            UnseenPeople = plan.UnseenPeople,
            CalibrationPeople = plan.CalibrationPeople,
            Loss = options.Loss.ToString(),
            Backbone = options.Backbone.ToString(),
            Epochs = training.Result.Epochs,
            Steps = training.Result.Steps,
            ImagesPerSecond = training.Result.ImagesPerSecond,
            Before = before.Verification(plan.FalseMatchRate),
            After = after.Verification(plan.FalseMatchRate),
            FalseMatchRate = plan.DecisionRate,
            Threshold = gallery.Threshold,
            Parity = export.Parity.Cosine,
            Known = gallery.Known,
            Unknown = gallery.Unknown,
            Gallery = gallery.Counts,
            ContractId = embedder.Manifest.ContractId,
            StepSeconds = log.StepSeconds,
            Files = new Dictionary<string, string>
            {
                ["report"] = folder.Report,
                ["package"] = Path.Combine(folder.Package, ModelManifest.FileName),
                ["calibration"] = folder.CalibrationFile,
                ["gallery"] = folder.Gallery,
                ["metrics"] = folder.Metrics,
                ["run"] = folder.Run,
                ["faces"] = Path.GetDirectoryName(folder.Train)!,
            },
        };
        _ = log.Step("report", "Writing the report", () => WriteReport(summary, training, before, after, calibration, gallery, unseen, options), _ => Relative(folder.Report));
        summary = summary with { Seconds = Math.Round(log.Seconds, 3) };
        AtomicFile.WriteText(folder.Summary, System.Text.Json.JsonSerializer.Serialize(summary, ModelManifest.Json) + "\n");
        return summary;
    }

    private int Draw(ProceduralFaces faces)
    {
        int total = (plan.TrainPeople * plan.TrainImages) + ((plan.UnseenPeople + plan.CalibrationPeople) * plan.OtherImages);
        using Progress progress = new("drawing", total);
        faces.Write(folder.Train, 0, plan.TrainPeople, plan.TrainImages, written: () => progress.Add(), stop: stop);
        faces.Write(folder.Unseen, plan.FirstUnseen, plan.UnseenPeople, plan.OtherImages, written: () => progress.Add(), stop: stop);
        faces.Write(folder.Calibration, plan.FirstCalibration, plan.CalibrationPeople, plan.OtherImages, written: () => progress.Add(), stop: stop);
        return total;
    }

    private DemoEvaluation EvaluateUntrained(TrainOptions options, DemoPeople people)
    {
        // The weights that training starts from: same specification, same seed.
        using BackboneEmbedder embedder = new(BackboneRegistry.Create(options.Backbone, options.Seed));
        return Evaluate(embedder, people);
    }

    private DemoEvaluation Evaluate(IEmbedder embedder, DemoPeople people)
    {
        EmbeddedFaces embedded = people.Embed(embedder, stop);
        ValidationResult result = UniFace.Evaluation.Validator.Evaluate(embedded, people.Labels, new ValidationOptions { Bootstrap = Intervals }, stop);
        return new DemoEvaluation(embedded, result);
    }

    private BootstrapOptions Intervals => new() { Replicates = plan.Replicates, Seed = plan.Seed };

    private DemoTraining Train(TrainOptions options)
    {
        HostAllocator.KeepFreed();
        using FaceDataset data = FaceDatasets.Open(options.Data);
        List<StepMetrics> steps = [];
        List<EpochMetrics> epochs = [];
        using Trainer trainer = Trainer.Create(folder.Run, options, data, null, cancellationToken: stop);
        using Progress progress = new("training", trainer.TotalSteps, "steps");
        long done = 0;
        TrainResult result = trainer.Run(
            new TrainingEvents
            {
                Progress = p =>
                {
                    steps.Add(p.Metrics);
                    progress.Add(p.Metrics.Step - done, FormattableString.Invariant($"loss {p.Metrics.Loss:F2}, {p.Metrics.ImagesPerSecond:F0} images/s"));
                    done = p.Metrics.Step;
                },
                EpochEnded = epochs.Add,
                Warning = log.Say,
            },
            stop).Result!;
        File.Copy(Path.Combine(folder.Run, RunFolder.MetricsFile), folder.Metrics, overwrite: true);
        return new DemoTraining(result, trainer.Info, steps, epochs);
    }

    private ExportResult Export() => TrainingRun.Open(folder.Run).Export(
        folder.Package,
        new ExportOptions { FlipSum = true, License = "CC0-1.0 (trained on drawn faces of invented people by 'uniface demo')" },
        stop);

    private Calibration Calibrate(OnnxEmbedder embedder, DemoPeople people)
    {
        DemoEvaluation measured = Evaluate(embedder, people);
        using FaceDataset data = FaceDatasets.Open(folder.Calibration);
        CalibrationSource source = CalibrationSource.Of(embedder.Manifest, $"{people.People} invented people, seed {plan.Seed}", data.ComputeHash(cancellationToken: stop)) with
        {
            People = people.People,
            Images = people.Pictures.Length,
            ToolVersion = embedder.Manifest.ToolVersion,
        };
        Calibrator.FromScores(measured.Result.Scores, source, bootstrap: Intervals, cancellation: stop).Save(folder.CalibrationFile);

        // What decides later is what stands in the file.
        return Calibration.Load(folder.CalibrationFile);
    }

    private bool WriteReport(DemoSummary summary, DemoTraining training, DemoEvaluation before, DemoEvaluation after, Calibration calibration, DemoGallery gallery, DemoPeople unseen, TrainOptions options)
    {
        DemoPeople train = DemoPeople.Load(folder.Train, 0, Math.Min(10, plan.TrainPeople), Math.Min(10, plan.TrainImages), decoder);
        AtomicFile.WriteText(folder.Report, new DemoReport(plan, summary, training, before, after, calibration, gallery, unseen, train, options).ToHtml());
        return true;
    }

    private string Describe(DemoEvaluation evaluation) => evaluation.Describe(plan.FalseMatchRate);

    private static string Relative(string path) => Path.GetRelativePath(Environment.CurrentDirectory, path);
}
