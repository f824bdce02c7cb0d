using UniFace.Cli.Eval;
using UniFace.Training.Export;

namespace UniFace.Cli.Demo;

/// <summary>
/// The whole workflow on synthetic faces: generate, train, evaluate, calibrate, export, enroll, identify. Each step uses the same code as the other
/// commands.
/// </summary>
internal sealed class DemoRun(DemoPlan plan, DemoFolder folder, TextWriter writer, CancellationToken stop)
{
    private const int StepCount = 8;

    private readonly SkiaImageDecoder decoder = new();
    private readonly SyntheticFaces faces = new(plan.Seed, plan.Variation);
    private readonly Dictionary<string, double> stepSeconds = [];

    private BootstrapOptions Intervals => new() { Replicates = plan.Replicates, Seed = plan.Seed };

    /// <summary>Runs all steps.</summary>
    public async Task<DemoResults> RunAsync()
    {
        Stopwatch clock = Stopwatch.StartNew();
        Step(
            "draw",
            $"Generating synthetic people: {plan.TrainPeople} to train on, {plan.UnseenPeople} to test on, {plan.CalibrationPeople} to calibrate on; " +
            "the groups do not overlap",
            GenerateFaces,
            count => $"{count} images in {Relative(folder.Faces)}");
        DemoPeople unseen = DemoPeople.Load(folder.Unseen, plan.FirstUnseen, plan.UnseenPeople, plan.OtherImages, decoder);
        DemoPeople others = DemoPeople.Load(folder.Calibration, plan.FirstCalibration, plan.CalibrationPeople, plan.OtherImages, decoder);

        TrainOptions options = plan.Training(folder.Train);
        DemoEvaluation before = Step(
            "evaluateBefore", "Testing the untrained model on the unseen people", () => EvaluateUntrained(options, unseen), e => e.Describe());
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
        DemoEvaluation after = Step("evaluate", "Testing the package on the unseen people", () => Evaluate(embedder, unseen), e => e.Describe());
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
        DemoResults results = new(plan, options, training, before, after, export, calibration, gallery, unseen, stepSeconds);
        Step("report", "Writing the report", () => WriteReport(results), Relative);
        WriteEvaluation(results);
        results = results with { Seconds = Math.Round(clock.Elapsed.TotalSeconds, 3) };
        AtomicFile.WriteText(folder.Summary, Output.ToJson(results.ToJson(folder)) + "\n");
        return results;
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

    private int GenerateFaces()
    {
        int total = (plan.TrainPeople * plan.TrainImages) + ((plan.UnseenPeople + plan.CalibrationPeople) * plan.OtherImages);
        using ProgressMeter progress = new("generating", total);
        Write(folder.Train, 0, plan.TrainPeople, plan.TrainImages);
        Write(folder.Unseen, plan.FirstUnseen, plan.UnseenPeople, plan.OtherImages);
        Write(folder.Calibration, plan.FirstCalibration, plan.CalibrationPeople, plan.OtherImages);
        return total;

        void Write(string path, int first, int people, int images) =>
            faces.Write(path, first, people, images, written: () => progress.Add(), cancellationToken: stop);
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
        ValidationResult result = Validator.Evaluate(embedded, people.Labels, new ValidationOptions { Bootstrap = Intervals }, stop);
        return new DemoEvaluation(embedded, result, plan.FalseMatchRate);
    }

    private DemoTraining Train(TrainOptions options)
    {
        HostAllocator.RetainFreedMemory();
        using FaceDataset data = options.OpenData();
        List<StepMetrics> steps = [];
        List<EpochMetrics> epochs = [];
        using Trainer trainer = Trainer.Create(folder.Run, options, data, null, cancellationToken: stop);
        using ProgressMeter progress = new("training", trainer.TotalSteps, "steps");
        TrainingEvents events = new()
        {
            Progress = p =>
            {
                steps.Add(p.Metrics);
                progress.Set(p.Metrics.Step, $"loss {p.Metrics.Loss:F2}, {p.Metrics.ImagesPerSecond:F0} images/s");
            },
            EpochEnded = epochs.Add,
            Warning = writer.WriteLine,
        };
        TrainResult result = trainer.Run(events, stop).Result!;
        File.Copy(Path.Combine(folder.Run, RunFolder.MetricsFile), folder.Metrics, overwrite: true);
        return new DemoTraining(result, trainer.Info, steps, epochs);
    }

    private ExportResult Export() => TrainingRun.Open(folder.Run).ExportPackage(
        folder.Package,
        new ExportOptions { FlipSum = true, License = "CC0-1.0 (trained on synthetic faces by 'uniface demo')" },
        stop);

    private Calibration Calibrate(OnnxEmbedder embedder, DemoPeople people)
    {
        DemoEvaluation measured = Evaluate(embedder, people);
        using FaceDataset data = FaceDatasets.Open(folder.Calibration);
        string name = $"{people.People} synthetic people, seed {plan.Seed}";
        string sha256 = data.ComputeHash(cancellationToken: stop);
        CalibrationSource source = new(embedder.Manifest.FlipSum, name, sha256, people.People, people.Images.Length);
        Calibrator.FromScores(measured.Result.Scores, source, bootstrap: Intervals, cancellationToken: stop)
            .For(embedder.Manifest).Save(folder.CalibrationFile);
        return Calibration.Load(folder.CalibrationFile);
    }

    private string WriteReport(DemoResults results)
    {
        DemoPeople trained = DemoPeople.Load(folder.Train, 0, Math.Min(10, plan.TrainPeople), Math.Min(10, plan.TrainImages), decoder);
        AtomicFile.WriteText(folder.Report, new DemoReport(results, trained).ToHtml());
        return folder.Report;
    }

    // As 'uniface eval --out' does, so that the pages of 'uniface serve' show it.
    private void WriteEvaluation(DemoResults results)
    {
        (DemoPeople people, ValidationResult measured) = (results.Unseen, results.After.Result);
        string[] names = [.. people.Labels.Select((person, i) => $"{people.Name(person)}/{i % people.ImagesEach:D3}.jpg")];
        using FaceDataset data = FaceDatasets.Open(folder.Unseen);
        EmbeddedSet set = new($"{people.People} unseen synthetic people", names, results.After.Embedded, "aligned", stepSeconds["evaluate"]);
        EvaluationResult result = new(
            set, "all-pairs", measured.Scores, measured.Report, measured.Accuracy, data.ComputeHash(cancellationToken: stop), people.People, Overlap: null);
        EvalOutput.WriteFiles(
            folder.Evaluation, [result], EvalOutput.ToJson(Relative(folder.Package), ModelPackage.Open(folder.Package).Manifest!, result, Intervals));
    }

    private static string Relative(string path) => Path.GetRelativePath(Environment.CurrentDirectory, path);
}
