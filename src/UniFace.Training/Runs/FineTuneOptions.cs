namespace UniFace.Training.Runs;

/// <summary>
/// The model that a run starts from, and how far its weights may move. Statistics of batch norms stay as they are: few photos estimate them badly.
/// </summary>
internal sealed record FineTuneOptions
{
    /// <summary>Default of <see cref="FrozenStages"/>.</summary>
    public const int DefaultFrozenStages = 2;

    /// <summary>Default of <see cref="BackboneRate"/>.</summary>
    public const double DefaultBackboneRate = 0.25;

    /// <summary>Default of <see cref="StageDecay"/>.</summary>
    public const double DefaultStageDecay = 0.8;

    /// <summary>A package, an installed model, a run, or a weights file of InsightFace.</summary>
    public required string Source { get; init; }

    /// <summary>SHA-256 of the file that holds the weights.</summary>
    public required string Sha256 { get; init; }

    /// <summary>How the model is run; the fine-tuned package is run in the same way.</summary>
    public required ModelManifest Manifest { get; init; }

    /// <summary>Stages of the backbone, from the input, whose weights stay as they are. A stage is the layers of one map size.</summary>
    public int FrozenStages { get; init; } = DefaultFrozenStages;

    /// <summary>Learning rate of the last stage, the embedding, as a share of the run's, which is that of the new class centers.</summary>
    public double BackboneRate { get; init; } = DefaultBackboneRate;

    /// <summary>Learning rate of a stage as a share of that of the stage after it.</summary>
    public double StageDecay { get; init; } = DefaultStageDecay;

    /// <summary>Checks the ranges of all values.</summary>
    /// <exception cref="UniFaceException">A value is out of range.</exception>
    internal void Validate()
    {
        if (FrozenStages < 0 || BackboneRate is not (>= 0 and <= 10) || StageDecay is not (> 0 and <= 1))
        {
            throw new UniFaceException(FormattableString.Invariant(
                $"FrozenStages is {FrozenStages}, BackboneRate {BackboneRate} and StageDecay {StageDecay}; expected at least 0, 0 to 10, and above 0 to 1."));
        }
    }
}
