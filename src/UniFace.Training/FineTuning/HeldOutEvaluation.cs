namespace UniFace.Training.FineTuning;

/// <summary>Compares a fine-tuned run with the model that it started from.</summary>
public static class HeldOutEvaluation
{
    /// <summary>
    /// Compares the last weights of a run with those that it started from, on the people that it was not trained on. The last and not the best
    /// weights, because the best were chosen on these people.
    /// </summary>
    /// <param name="run">The run folder.</param>
    /// <param name="progress">Called with the activity, the images done since the last call, and the images in total.</param>
    /// <param name="cancellationToken">Stops the comparison.</param>
    /// <returns>Null if no people were held out, or too few to compare.</returns>
    /// <exception cref="UniFaceException">The run is no fine-tuning, has no checkpoint, or its start or its data cannot be read.</exception>
    public static ModelComparison? Compare(string run, Action<string, int, int>? progress = null, CancellationToken cancellationToken = default)
    {
        return Score(run, progress, cancellationToken) is (VerificationScores before, VerificationScores after, RunInfo info)
            ? ModelComparison.Measure(before, after, info.Options.Seed)
            : null;
    }

    /// <summary>The same over the folds of a cross-validation: the pairs are those of people of the same fold.</summary>
    /// <param name="folds">The run folders.</param>
    /// <param name="progress">As above.</param>
    /// <param name="cancellationToken">Stops the comparison.</param>
    public static ModelComparison? CompareFolds(
        IReadOnlyList<string> folds, Action<string, int, int>? progress = null, CancellationToken cancellationToken = default)
    {
        (VerificationScores Before, VerificationScores After, RunInfo Info)[] scores =
        [
            .. folds.Select((run, i) => Score(run, (what, done, all) => progress?.Invoke($"{what} fold {i + 1}", done, all), cancellationToken)
                ?? throw new UniFaceException($"{run} holds no people out.")),
        ];
        return ModelComparison.Measure(
            VerificationScores.Concatenate([.. scores.Select(s => s.Before)]),
            VerificationScores.Concatenate([.. scores.Select(s => s.After)]),
            scores[0].Info.Options.Seed);
    }

    private static (VerificationScores Before, VerificationScores After, RunInfo Info)? Score(
        string run, Action<string, int, int>? progress, CancellationToken cancellationToken)
    {
        RunInfo info = RunFolder.ReadInfo(run);
        FineTuneOptions started = info.Options.FineTune
            ?? throw new UniFaceException($"{run} did not start from a model; there is nothing to compare it with.");
        using FaceDataset? validation = info.Options.OpenValidation();
        using FaceDataset data = info.Options.OpenData();
        if (info.UnseenPeople(data, validation) is not FaceDataset people)
        {
            return null;
        }

        SkiaImageDecoder decoder = new();
        int[] labels = [.. people.Samples.Select(s => s.Label)];
        using StartWeights start = StartWeights.Open(started.Source);
        using Backbone tuned = RunFolder.LoadBackbone(run, best: false).Backbone;
        return (ScoreAll(start.Backbone), ScoreAll(tuned), info);

        VerificationScores ScoreAll(Backbone backbone)
        {
            using BackboneEmbedder embedder = new(backbone, started.Manifest.FlipSum, ownsBackbone: false);
            EmbeddedFaces faces = BatchEmbedding.Embed(
                embedder,
                labels.Length,
                i => BatchLoader.Decode(decoder, people.Read(i), $"{people.Source}: {people.Samples[i].Name}", embedder.InputSize),
                progress: done => progress?.Invoke("comparing", done, 2 * labels.Length),
                cancellationToken: cancellationToken);
            return PairScores.AllPairs(faces, labels, cancellationToken: cancellationToken);
        }
    }
}
