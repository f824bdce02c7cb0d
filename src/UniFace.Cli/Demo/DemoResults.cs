using UniFace.Evaluation;
using UniFace.Training.Loop;
using UniFace.Training.Runs;

namespace UniFace.Cli.Demo;

/// <summary>The training and all that it told.</summary>
internal sealed record DemoTraining(TrainResult Result, RunInfo Info, IReadOnlyList<StepMetrics> Steps, IReadOnlyList<EpochMetrics> Epochs);

/// <summary>An evaluation with the embeddings behind it.</summary>
internal sealed record DemoEvaluation(EmbeddedFaces Embedded, ValidationResult Result)
{
    /// <summary>The operating point at a false match rate; its values are null where the pairs cannot support it.</summary>
    public OperatingPoint At(double falseMatchRate) =>
        Result.Report.OperatingPoints.FirstOrDefault(p => p.TargetFalseMatchRate == falseMatchRate) ?? Result.Report.Roc.At(falseMatchRate);

    public DemoVerification Verification(double falseMatchRate) =>
        new(Result.Accuracy?.Mean, Result.Accuracy?.StandardError, Result.Report.Auc, Result.Report.EqualError.Rate, At(falseMatchRate).TrueMatchRate);

    public string Describe(double falseMatchRate) => FormattableString.Invariant(
        $"accuracy {Result.Accuracy?.Mean * 100:F1} %, equal error rate {Result.Report.EqualError.Rate * 100:F1} %, {At(falseMatchRate).TrueMatchRate * 100:F1} % recognised at one false match in {1 / falseMatchRate:F0}");
}
