using UniFace.Training.Export;

namespace UniFace.Cli.Demo;

/// <summary>
/// The whole workflow on invented faces: draw, train, evaluate, calibrate, export, enroll, identify. Each step uses the same code as the other
/// commands.
/// </summary>
internal sealed class DemoRun(DemoPlan plan, DemoFolder folder, TextWriter writer, CancellationToken stop)
{
    private const int StepCount = 8;

    private readonly SkiaImageDecoder decoder = new();
    private readonly ProceduralFaces faces = new(plan.Seed, plan.Variation);
    private readonly Dictionary<string, double> stepSeconds = [];

    private BootstrapOptions Intervals => new() { Replicates = plan.Replicates, Seed = plan.Seed };

    /// <summary>Runs all steps.</summary>
    public async Task<DemoSummary> RunAsync(bool quick)
    {
        Stopwatch clock = Stopwatch.StartNew();
        Step(
            "draw",
            $"Drawing invented people: {plan.TrainPeople} to train on, {plan.UnseenPeople} to test on, {plan.CalibrationPeople} to calibrate on; " +
            "nobody is in two groups",
            Draw,
            count => $"{count} images in {Relative(folder.Faces)}");
        DemoPeople unseen = DemoPeople.Load(folder.Unseen, plan.FirstUnseen, plan.UnseenPeople, plan.OtherImages, decoder);
        DemoPeople others = DemoPeople.Load(folder.Calibration, plan.FirstCalibration, plan.CalibrationPeople, plan.OtherImages, decoder);

        TrainOptions options = plan.Training(folder.Train);
        DemoEvaluation before = Step("evaluateBefore", "Testing the untrained model on the unseen people", () => EvaluateUntrained(options, unseen), Describe);
        DemoTraining training = Step(
            "train",
            $"Training {options.Backbone} with {options.Loss.Name} (m = {options.Loss.Value("margin")}, s = {options.Loss.Value("scale")}), " +
            $"{options.Epochs} epochs",
            () => Train(options),
            t => $"{t.Result.Steps} steps, {t.Result.ImagesPerSecond:F0} images/s, loss {t.Result.Loss:F2}, learned threshold {t.Epochs[^1].Threshold:F2}");
        ExportResult export = Step(
            "export",
            "Exporting a model package; ONNX Runtime must give the trained embeddings",
            Export,
            e => $"{Relative(folder.Package)}, parity cosine {e.Parity.Cosine:F6}");

        // From here on only the package is used, as in an application.
        using FaceRecognizer recognizer = FaceRecognizer.Open(folder.Package);
        OnnxEmbedder embedder = recognizer.Embedder;
        DemoEvaluation after = Step("evaluate", "Testing the package on the unseen people", () => Evaluate(embedder, unseen), Describe);
        Calibration calibration = Step(
            "calibrate",
            "Calibrating the threshold on the third group",
            () => Calibrate(embedder, others),
            c => $"threshold {c.ThresholdAt(plan.DecisionRate):F3} for one false match in {1 / plan.DecisionRate:F0}");
        DemoGallery gallery = await StepAsync(
            "identify",
            $"Enrolling {plan.GalleryPeople} of the unseen people and identifying everybody",
            () => DemoGallery.RunAsync(plan, folder, faces, unseen, after.Embedded, embedder.Manifest, calibration, stop),
            g => g.Describe());
        DemoSummary summary = new(
            Seed: plan.Seed,
            Quick: quick,
            TrainPeople: plan.TrainPeople,
            TrainImages: plan.TrainPeople * plan.TrainImages,
            UnseenPeople: plan.UnseenPeople,
            CalibrationPeople: plan.CalibrationPeople,
            Loss: options.Loss.ToString(),
            Backbone: options.Backbone.ToString(),
            Epochs: training.Result.Epochs,
            Steps: training.Result.Steps,
            ImagesPerSecond: training.Result.ImagesPerSecond,
            Before: before.Verification(plan.FalseMatchRate),
            After: after.Verification(plan.FalseMatchRate),
            FalseMatchRate: plan.DecisionRate,
            Threshold: gallery.Threshold,
            Parity: export.Parity.Cosine,
            Known: gallery.Known,
            Unknown: gallery.Unknown,
            Gallery: gallery.Counts,
            ContractId: embedder.Manifest.ContractId,
            StepSeconds: stepSeconds,
            Files: new Dictionary<string, string>
            {
                ["report"] = folder.Report,
                ["package"] = Path.Combine(folder.Package, ModelManifest.FileName),
                ["calibration"] = folder.CalibrationFile,
                ["gallery"] = folder.Gallery,
                ["metrics"] = folder.Metrics,
                ["run"] = folder.Run,
                ["faces"] = folder.Faces,
            });
        DemoResults results = new(plan, options, training, before, after, calibration, gallery, unseen);
        Step("report", "Writing the report", () => WriteReport(summary, results), Relative);
        summary = summary with { Seconds = Math.Round(clock.Elapsed.TotalSeconds, 3) };
        AtomicFile.WriteText(folder.Summary, JsonSerializer.Serialize(summary, ModelManifest.Json) + "\n");
        return summary;
    }

    private T Step<T>(string name, string what, Func<T> work, Func<T, string> result) =>
        StepAsync(name, what, () => Task.FromResult(work()), result).GetAwaiter().GetResult();

    // Announces a step, runs it, and prints its result and its time.
    private async Task<T> StepAsync<T>(string name, string what, Func<Task<T>> work, Func<T, string> result)
    {
        writer.WriteLine($"[{stepSeconds.Count + 1}/{StepCount}] {what}");
        Stopwatch clock = Stopwatch.StartNew();
        T value = await work();
        double seconds = clock.Elapsed.TotalSeconds;
        stepSeconds[name] = Math.Round(seconds, 3);
        writer.WriteLine($"      {result(value)}  ({seconds:F1} s)");
        return value;
    }

    private int Draw()
    {
        int total = (plan.TrainPeople * plan.TrainImages) + ((plan.UnseenPeople + plan.CalibrationPeople) * plan.OtherImages);
        using ProgressMeter progress = new("drawing", total);
        Write(folder.Train, 0, plan.TrainPeople, plan.TrainImages);
        Write(folder.Unseen, plan.FirstUnseen, plan.UnseenPeople, plan.OtherImages);
        Write(folder.Calibration, plan.FirstCalibration, plan.CalibrationPeople, plan.OtherImages);
        return total;

        void Write(string path, int first, int people, int images) => faces.Write(path, first, people, images, written: () => progress.Add(), stop: stop);
    }

    private DemoEvaluation EvaluateUntrained(TrainOptions options, DemoPeople people)
    {
        // The same specification and seed give the initial weights of the training.
        using BackboneEmbedder embedder = new(BackboneRegistry.Create(options.Backbone, options.Seed));
        return Evaluate(embedder, people);
    }

    private DemoEvaluation Evaluate(IEmbedder embedder, DemoPeople people)
    {
        EmbeddedFaces embedded = people.Embed(embedder, stop);
        return new DemoEvaluation(embedded, Validator.Evaluate(embedded, people.Labels, new ValidationOptions { Bootstrap = Intervals }, stop));
    }

    private string Describe(DemoEvaluation evaluation) => evaluation.Describe(plan.FalseMatchRate);

    private DemoTraining Train(TrainOptions options)
    {
        HostAllocator.KeepFreed();
        using FaceDataset data = FaceDatasets.Open(options.Data);
        List<StepMetrics> steps = [];
        List<EpochMetrics> epochs = [];
        using Trainer trainer = Trainer.Create(folder.Run, options, data, null, cancellationToken: stop);
        using ProgressMeter progress = new("training", trainer.TotalSteps, "steps");
        long done = 0;
        TrainingEvents events = new()
        {
            Progress = p =>
            {
                steps.Add(p.Metrics);
                progress.Add(p.Metrics.Step - done, $"loss {p.Metrics.Loss:F2}, {p.Metrics.ImagesPerSecond:F0} images/s");
                done = p.Metrics.Step;
            },
            EpochEnded = epochs.Add,
            Warning = writer.WriteLine,
        };
        TrainResult result = trainer.Run(events, stop).Result!;
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
        string name = $"{people.People} invented people, seed {plan.Seed}";
        CalibrationSource source = CalibrationSource.FromManifest(embedder.Manifest, name, data.ComputeHash(cancellationToken: stop)) with
        {
            People = people.People,
            Images = people.Images.Length,
            ToolVersion = embedder.Manifest.ToolVersion,
        };
        Calibrator.FromScores(measured.Result.Scores, source, bootstrap: Intervals, cancellation: stop).Save(folder.CalibrationFile);
        return Calibration.Load(folder.CalibrationFile);
    }

    private string WriteReport(DemoSummary summary, DemoResults results)
    {
        DemoPeople trained = DemoPeople.Load(folder.Train, 0, Math.Min(10, plan.TrainPeople), Math.Min(10, plan.TrainImages), decoder);
        AtomicFile.WriteText(folder.Report, new DemoReport(summary, results, trained).ToHtml());
        return folder.Report;
    }

    private static string Relative(string path) => Path.GetRelativePath(Environment.CurrentDirectory, path);
}
