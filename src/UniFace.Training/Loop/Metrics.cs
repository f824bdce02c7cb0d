namespace UniFace.Training.Loop;

/// <summary>What the two kinds of rows of metrics.jsonl have in common.</summary>
internal abstract record TrainingMetrics
{
    /// <summary>Steps done.</summary>
    public required long Step { get; init; }

    /// <summary>Epoch, from 1; 0 for the state before training.</summary>
    public required int Epoch { get; init; }

    /// <summary>Mean loss.</summary>
    public required double Loss { get; init; }

    /// <summary>Learning rate of the last step.</summary>
    public required double Lr { get; init; }

    /// <summary>Mean cosine of an image with its own class center.</summary>
    public required double TargetCosine { get; init; }

    /// <summary>Mean of the images' largest cosines with another class center.</summary>
    public required double HardestNegativeCosine { get; init; }

    /// <summary>The learned threshold as a cosine, b / s; null if the loss has none.</summary>
    public double? Threshold { get; init; }
}

/// <summary>A row of metrics.jsonl every few steps. The values are means since the row before.</summary>
internal sealed record StepMetrics : TrainingMetrics
{
    /// <summary>Always "step".</summary>
    public string Kind { get; init; } = "step";

    /// <summary>Images per second.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>Mean norm of the gradients before clipping.</summary>
    public required double GradNorm { get; init; }

    /// <summary>The loss scale of the next step; null but in float16.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? LossScale { get; init; }

    /// <summary>Steps of the run that were skipped, because their gradients overflowed; null but in float16.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? SkippedSteps { get; init; }

    internal static StepMetrics From(TrainingState state, double learningRate, double imagesPerSecond) => new()
    {
        Step = state.Step,
        Epoch = state.Epoch + 1,
        Loss = state.Window.Loss,
        Lr = learningRate,
        ImagesPerSecond = imagesPerSecond,
        GradNorm = state.Window.GradientNorm,
        LossScale = state.Scale?.Value,
        SkippedSteps = state.Scale is null ? null : state.Optimizer.Skipped,
        TargetCosine = state.Window.TargetCosine,
        HardestNegativeCosine = state.Window.HardestNegativeCosine,
        Threshold = state.Head.Threshold,
    };
}

/// <summary>A row of metrics.jsonl at the end of each epoch, and one for epoch 0 before the first step.</summary>
internal sealed record EpochMetrics : TrainingMetrics
{
    /// <summary>Always "epoch".</summary>
    public string Kind { get; init; } = "epoch";

    /// <summary>Images per second; null for epoch 0.</summary>
    public double? ImagesPerSecond { get; init; }

    /// <summary>Images by target cosine: 80 bins of 0.025 from -1 to 1.</summary>
    public required IReadOnlyList<long> TargetHistogram { get; init; }

    /// <summary>Images by hardest-negative cosine: 80 bins of 0.025 from -1 to 1.</summary>
    public required IReadOnlyList<long> HardestNegativeHistogram { get; init; }

    /// <summary>Result of the validation; null if there was none in this epoch.</summary>
    public ValidationMetrics? Validation { get; init; }

    internal static EpochMetrics From(RunningStatistics sums, TrainingState state, double learningRate) => new()
    {
        Step = state.Step,
        Epoch = state.Epoch,
        Loss = sums.Loss,
        Lr = learningRate,
        TargetCosine = sums.TargetCosine,
        HardestNegativeCosine = sums.HardestNegativeCosine,
        Threshold = state.Head.Threshold,
        TargetHistogram = sums.TargetHistogram,
        HardestNegativeHistogram = sums.HardestNegativeHistogram,
    };
}

/// <summary>Verification on people that were not trained on.</summary>
/// <param name="TarAtFar">True accept rate at a false accept rate of 1e-2, or at the smallest rate that the pairs support.</param>
/// <param name="Auc">Area under the ROC curve.</param>
/// <param name="Eer">Equal error rate.</param>
/// <param name="Pairs">Pairs scored.</param>
internal sealed record ValidationMetrics(double TarAtFar, double Auc, double Eer, long Pairs);
