namespace UniFace.Evaluation;

/// <summary>The overlap of a model's training data with the data that it is measured on.</summary>
/// <param name="Images">Number of images, by content.</param>
/// <param name="People">Number of people, by name.</param>
/// <param name="Example">Name of an image or person in both.</param>
internal sealed record OverlapFound(int Images, int People, string Example);

/// <summary>Finds training data in an evaluation set while the set is hashed.</summary>
internal static class OverlapCheck
{
    /// <summary>Reads a set once, for its hash and its overlap with the training data.</summary>
    /// <param name="data">The set.</param>
    /// <param name="trained">What the model was trained on; null if unknown.</param>
    /// <param name="uses">Which samples the measurement uses; null for all.</param>
    /// <param name="done">Called with 1 for each image read, from several threads.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <returns>The hash of the set (<see cref="DatasetHash"/>), and the overlap or null.</returns>
    public static (string Sha256, OverlapFound? Overlap) Read(
        FaceDataset data,
        TrainingFingerprint? trained,
        Func<FaceSample, bool>? uses = null,
        Action<int>? done = null,
        CancellationToken cancellationToken = default)
    {
        bool[] found = new bool[data.Samples.Count];
        string hash = data.ComputeHash(
            (i, encoded) =>
            {
                found[i] = trained is not null && (uses?.Invoke(data.Samples[i]) ?? true) && trained.HasImage(encoded);
                done?.Invoke(1);
            },
            cancellationToken);
        if (trained is null)
        {
            return (hash, null);
        }

        IEnumerable<int> labels = data.Samples.Where(s => uses?.Invoke(s) ?? true).Select(s => s.Label).Distinct();
        string[] people = [.. labels.Select(data.NameOf).Where(trained.HasPerson)];
        string? first = Array.IndexOf(found, true) is >= 0 and int i ? data.Samples[i].Name : people.FirstOrDefault();
        return (hash, first is null ? null : new OverlapFound(found.Count(f => f), people.Length, first));
    }
}
