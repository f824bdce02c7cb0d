namespace UniFace.Training.Evaluation;

/// <summary>The 1:1 measurement of one set.</summary>
/// <param name="Set">The set.</param>
/// <param name="Protocol">How pairs were made: "pairs" (a list with folds) or "all-pairs" (labeled people).</param>
/// <param name="Scores">The scored pairs.</param>
/// <param name="Report">The metrics.</param>
/// <param name="Accuracy">Accuracy over folds; null with too few pairs.</param>
/// <param name="Sha256">Hash of the data set (<see cref="DatasetHash"/>, as a training states it), or of the .bin file.</param>
/// <param name="People">People in the set; 0 if unknown.</param>
/// <param name="Overlap">The allowed overlap with the training data; null if there is none.</param>
internal sealed record EvaluationResult(
    EmbeddedSet Set,
    string Protocol,
    VerificationScores Scores,
    VerificationReport Report,
    CrossValidatedAccuracy? Accuracy,
    string Sha256,
    int People,
    TrainingOverlap? Overlap)
{
    /// <summary>The images of each pair in a pair list; null for all pairs.</summary>
    public IReadOnlyList<PairOfImages>? Pairs { get; init; }

    /// <summary>Hash of the pairs file alone; null without one.</summary>
    public string? PairsSha256 { get; init; }
}
