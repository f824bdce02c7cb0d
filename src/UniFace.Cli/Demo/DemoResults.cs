using UniFace.Training.Export;

namespace UniFace.Cli.Demo;

/// <summary>The training with its metrics.</summary>
internal sealed record DemoTraining(TrainResult Result, RunInfo Info, IReadOnlyList<StepMetrics> Steps, IReadOnlyList<EpochMetrics> Epochs);

/// <summary>An evaluation with its embeddings, and the true match rate at the reported false match rate.</summary>
internal sealed record DemoEvaluation(EmbeddedFaces Embedded, ValidationResult Result, double FalseMatchRate)
{
    /// <summary>Share of mated pairs accepted at the false match rate; null if the pairs do not support the rate.</summary>
    public double? TarAtFmr => At(FalseMatchRate).TrueMatchRate;

    /// <summary>The operating point at a false match rate; its values are null if the pairs do not support the rate.</summary>
    public OperatingPoint At(double falseMatchRate) =>
        Result.Report.OperatingPoints.FirstOrDefault(p => p.TargetFalseMatchRate == falseMatchRate) ?? Result.Report.Roc.At(falseMatchRate);

    /// <summary>The metrics as JSON.</summary>
    public object ToJson() => new
    {
        accuracy = Result.Accuracy?.Mean,
        accuracyStd = Result.Accuracy?.StandardError,
        Result.Report.Auc,
        eer = Result.Report.EqualError.Rate,
        TarAtFmr,
    };

    /// <summary>The metrics in a line.</summary>
    public string Describe() =>
        $"accuracy {100 * Result.Accuracy?.Mean:F1} %, equal error rate {100 * Result.Report.EqualError.Rate:F1} %, " +
        $"{100 * TarAtFmr:F1} % recognized at one false match in {1 / FalseMatchRate:F0}";
}

/// <summary>Everything that the demo measured.</summary>
/// <param name="Plan">The size of the demo.</param>
/// <param name="Options">The options of the training.</param>
/// <param name="Training">The training.</param>
/// <param name="Before">The untrained model on the unseen people.</param>
/// <param name="After">The exported package on the unseen people.</param>
/// <param name="Export">The exported package.</param>
/// <param name="Calibration">The package's calibration.</param>
/// <param name="Gallery">The identifications.</param>
/// <param name="Unseen">The unseen people.</param>
/// <param name="StepSeconds">The time of each step.</param>
internal sealed record DemoResults(
    DemoPlan Plan,
    TrainOptions Options,
    DemoTraining Training,
    DemoEvaluation Before,
    DemoEvaluation After,
    ExportResult Export,
    Calibration Calibration,
    DemoGallery Gallery,
    DemoPeople Unseen,
    IReadOnlyDictionary<string, double> StepSeconds)
{
    /// <summary>The time of the whole demo.</summary>
    public double Seconds { get; init; }

    /// <summary>Whether the enrolled person was recognized and the stranger rejected.</summary>
    public bool Succeeded => Gallery.Known.Right && Gallery.Unknown.Right;

    /// <summary>The JSON of `uniface demo --json` and of demo.json.</summary>
    public object ToJson(DemoFolder folder) => new
    {
        synthetic = true, // The numbers describe drawn faces and say nothing about real ones.
        Plan.Seed,
        Plan.Quick,
        Plan.TrainPeople,
        TrainImages = Plan.TrainPeople * Plan.TrainImages,
        Plan.UnseenPeople,
        Plan.CalibrationPeople,
        loss = Options.Loss.ToString(),
        backbone = Options.Backbone.ToString(),
        Training.Result.Epochs,
        Training.Result.Steps,
        Training.Result.ImagesPerSecond,
        before = Before.ToJson(),
        after = After.ToJson(),
        falseMatchRate = Plan.DecisionRate,
        Gallery.Threshold,
        parity = Export.Parity.Cosine,
        Gallery.Known,
        Gallery.Unknown,
        gallery = Gallery.Counts,
        Export.Manifest.ContractId,
        StepSeconds,
        files = new
        {
            folder.Report,
            package = Path.Combine(folder.Package, ModelManifest.FileName),
            calibration = folder.CalibrationFile,
            folder.Gallery,
            folder.Metrics,
            folder.Run,
            folder.Faces,
        },
        identified = Gallery.Known.Right,
        rejected = Gallery.Unknown.Right,
        Seconds,
    };
}
