namespace UniFace.Cli.Demo;

/// <summary>The training with its metrics.</summary>
internal sealed record DemoTraining(TrainResult Result, RunInfo Info, IReadOnlyList<StepMetrics> Steps, IReadOnlyList<EpochMetrics> Epochs);

/// <summary>An evaluation with its embeddings.</summary>
internal sealed record DemoEvaluation(EmbeddedFaces Embedded, ValidationResult Result)
{
    /// <summary>The operating point at a false match rate; its values are null if the pairs do not support the rate.</summary>
    public OperatingPoint At(double falseMatchRate) =>
        Result.Report.OperatingPoints.FirstOrDefault(p => p.TargetFalseMatchRate == falseMatchRate) ?? Result.Report.Roc.At(falseMatchRate);

    public DemoVerification Verification(double falseMatchRate) =>
        new(Result.Accuracy?.Mean, Result.Accuracy?.StandardError, Result.Report.Auc, Result.Report.EqualError.Rate, At(falseMatchRate).TrueMatchRate);

    public string Describe(double falseMatchRate) =>
        $"accuracy {100 * Result.Accuracy?.Mean:F1} %, equal error rate {100 * Result.Report.EqualError.Rate:F1} %, " +
        $"{100 * At(falseMatchRate).TrueMatchRate:F1} % recognized at one false match in {1 / falseMatchRate:F0}";
}

/// <summary>Everything that the report shows.</summary>
internal sealed record DemoResults(
    DemoPlan Plan,
    TrainOptions Options,
    DemoTraining Training,
    DemoEvaluation Before,
    DemoEvaluation After,
    Calibration Calibration,
    DemoGallery Gallery,
    DemoPeople Unseen);
