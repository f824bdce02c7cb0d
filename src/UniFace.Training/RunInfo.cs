using UniFace.Packages;

namespace UniFace.Training;

/// <summary>
/// run.json: what a run is, written when it starts, and again when it is resumed with a change that a run may have. A checkpoint of the run holds the rest.
/// </summary>
public sealed record RunInfo
{
    /// <summary>The schema that this version writes.</summary>
    public const int CurrentSchemaVersion = 1;

    /// <summary>Version of this file's schema.</summary>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <summary>Tells the run from all others; its checkpoints carry it. Empty in a run that was started before runs had one.</summary>
    public string Id { get; init; } = "";

    /// <summary>Version of the tool that started the run.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>When it was started, UTC.</summary>
    public required DateTime Started { get; init; }

    /// <summary>The options, defaults filled in, as they are since the last of <see cref="Changes"/>.</summary>
    public required TrainOptions Options { get; init; }

    /// <summary>What was changed when the run was resumed, each as "step 120: --threads 2 to 4"; empty for a run that is as it was started.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary>Hash over names, labels and contents of the training set, as opened.</summary>
    public required string DataHash { get; init; }

    /// <summary>People trained on: the classes of the loss.</summary>
    public required int People { get; init; }

    /// <summary>Pictures trained on.</summary>
    public required int Images { get; init; }

    /// <summary>People of the set that were held out for validation.</summary>
    public IReadOnlyList<string> HeldOut { get; init; } = [];

    /// <summary>Optimizer steps an epoch.</summary>
    public required int StepsPerEpoch { get; init; }

    /// <summary>What a model package says of its training.</summary>
    public TrainingProvenance Provenance() => new()
    {
        Loss = Options.Loss.ToString(),
        Backbone = Options.Backbone.ToString(),
        DataHash = DataHash,
        Seed = Options.Seed,
        People = People,
        Images = Images,
        Epochs = Options.Epochs,
    };
}
