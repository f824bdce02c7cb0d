namespace UniFace.Training.FineTuning;

/// <summary>Compares a fine-tuned run with the model that it started from.</summary>
internal static class HeldOutEvaluation
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
        return ModelComparison.Measure(Score(start.Backbone), Score(tuned), info.Options.Seed);

        VerificationScores Score(Backbone backbone)
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
