namespace UniFace.Cli.Eval;

/// <summary>The measurement of one set.</summary>
/// <param name="Name">The set's name.</param>
/// <param name="Protocol">How pairs were made: "pairs" (a list with folds) or "all-pairs" (labelled people).</param>
/// <param name="Report">The metrics.</param>
/// <param name="Accuracy">Accuracy over folds; null with too few pairs.</param>
/// <param name="Scores">The scored pairs.</param>
/// <param name="Sha256">Hash of the data set (<see cref="UniFace.Data.DatasetHash"/>, as a training states it), or of the .bin file.</param>
/// <param name="PairsSha256">Hash of the pairs file alone; null without one.</param>
/// <param name="People">People in the set; 0 if unknown.</param>
/// <param name="Images">Names of the images, each once.</param>
/// <param name="MissingImages">Names of those without a face.</param>
/// <param name="Detector">How faces were found, or "aligned".</param>
/// <param name="Seconds">Time to decode, align and embed.</param>
internal sealed record EvalResult(
    string Name,
    string Protocol,
    VerificationReport Report,
    CrossValidatedAccuracy? Accuracy,
    VerificationScores Scores,
    string Sha256,
    string? PairsSha256,
    int People,
    IReadOnlyList<string> Images,
    IReadOnlyList<string> MissingImages,
    string Detector,
    double Seconds)
{
    /// <summary>The images of each pair in a pair list; null for all pairs.</summary>
    public IReadOnlyList<PairOfImages>? Pairs { get; init; }

    /// <summary>The allowed overlap with the training data; null if there is none.</summary>
    public TrainingOverlap? Overlap { get; init; }
}
