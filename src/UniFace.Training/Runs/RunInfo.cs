namespace UniFace.Training.Runs;

/// <summary>
/// run.json: the description of a run. Written when the run starts, and again when it is resumed with an allowed change.
/// </summary>
internal sealed record RunInfo
{
    /// <summary>The schema that this version writes. Runs of version 1 drew from other random streams: they can be exported, but not resumed.</summary>
    public const int CurrentSchemaVersion = 2;

    /// <summary>Version of the schema.</summary>
    public int SchemaVersion { get; init; } = CurrentSchemaVersion;

    /// <summary>Unique id of the run, which its checkpoints carry. Empty in runs from before ids.</summary>
    public string Id { get; init; } = "";

    /// <summary>Version of the tool that started the run.</summary>
    public required string ToolVersion { get; init; }

    /// <summary>Start time, UTC.</summary>
    public required DateTime Started { get; init; }

    /// <summary>The options with defaults filled in, after all <see cref="Changes"/>.</summary>
    public required TrainOptions Options { get; init; }

    /// <summary>Changes made when the run was resumed, each as "step 120: threads 2 to 4".</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary><see cref="DataHash"/> until all of the data has been read.</summary>
    public const string Incomplete = "incomplete";

    /// <summary>
    /// Hash of the names, labels and contents of the training set (<see cref="DatasetHash"/>), completed at the end of the first epoch;
    /// <see cref="Incomplete"/> before.
    /// </summary>
    public required string DataHash { get; init; }

    /// <summary>
    /// What identifies the training set at once (<see cref="UniFace.Data.Identity.DatasetFingerprint"/>). Null in older runs, whose data is hashed when they
    /// are resumed.
    /// </summary>
    public string? DataFingerprint { get; init; }

    /// <summary>Whether <see cref="DataHash"/> is known.</summary>
    [JsonIgnore]
    public bool HasDataHash => DataHash != Incomplete;

    /// <summary>People in the training: the classes of the loss.</summary>
    public required int People { get; init; }

    /// <summary>Images in the training.</summary>
    public required int Images { get; init; }

    /// <summary>People of the set that were held out for validation.</summary>
    public IReadOnlyList<string> HeldOut { get; init; } = [];

    /// <summary>Optimizer steps per epoch.</summary>
    public required int StepsPerEpoch { get; init; }

    /// <summary>
    /// The people that the run was not trained on, for a calibration: its validation set, or those held out of its training set. Null if it
    /// was trained on everybody.
    /// </summary>
    /// <param name="data">The training set.</param>
    /// <param name="validation">The validation set, if the run has one.</param>
    /// <exception cref="UniFaceException">People who were held out are no longer in the training set.</exception>
    public FaceDataset? UnseenPeople(FaceDataset data, FaceDataset? validation) =>
        validation ?? (HeldOut.Count == 0 ? null : DatasetSubset.SelectPeople(Options.LimitImages(data), HeldOut));

    /// <summary>The training as described in a model package.</summary>
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
