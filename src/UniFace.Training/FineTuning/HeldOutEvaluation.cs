namespace UniFace.Training.FineTuning;

/// <summary>Compares a fine-tuned run with the model that it started from.</summary>
public static class HeldOutEvaluation
{
    private const int Chunk = 64, MostImages = 4000;

    /// <summary>
    /// Compares the last weights of a run with those that it started from, on the people that it was not trained on. The last and not the best
    /// weights, because the best were chosen on these people.
    /// </summary>
    /// <param name="run">The run folder.</param>
    /// <param name="progress">Activity, images done since the last call, and images in total.</param>
    /// <param name="cancellationToken">Stops the comparison.</param>
    /// <returns>Null if nobody was held out, or too few to compare.</returns>
    /// <exception cref="UniFaceException">The run is no fine-tuning, has no checkpoint, or its start or its data cannot be read.</exception>
    public static HeldOutComparison? Compare(string run, Action<string, int, int>? progress = null, CancellationToken cancellationToken = default)
    {
        RunInfo info = RunFolder.ReadInfo(run);
        FineTuneOptions started = info.Options.FineTune ?? throw new UniFaceException(
            $"{run} did not start from a model; there is nothing to compare it with.");
        using FaceDataset? validation = info.Options.OpenValidation();
        using FaceDataset data = info.Options.OpenData();
        if (info.UnseenPeople(data, validation) is not FaceDataset people)
        {
            return null;
        }

        using StartWeights start = StartWeights.Open(started.Source);
        using BackboneEmbedder before = new(start.Backbone, started.Manifest.FlipSum, ownsBackbone: false);
        using BackboneEmbedder after = new(RunFolder.LoadBackbone(run, best: false).Backbone, started.Manifest.FlipSum);
        SkiaImageDecoder decoder = new();
        int count = Math.Min(people.Samples.Count, MostImages);
        List<float> first = [], second = [];
        for (int at = 0; at < count; at += Chunk)
        {
            cancellationToken.ThrowIfCancellationRequested();
            RgbImage[] faces = [.. Enumerable.Range(at, Math.Min(Chunk, count - at)).Select(i => BatchLoader.Decode(
                decoder, people.Read(i), $"{people.Source}: {people.Samples[i].Name}", after.InputSize))];
            first.AddRange(before.Embed(faces));
            second.AddRange(after.Embed(faces));
            progress?.Invoke("comparing", faces.Length, count);
        }

        return HeldOutComparison.Measure([.. first], [.. second], [.. people.Samples.Take(count).Select(s => s.Label)], info.Options.Seed);
    }
}
