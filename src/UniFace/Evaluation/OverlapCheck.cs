using UniFace.Data;
using UniFace.Packages;

namespace UniFace.Evaluation;

/// <summary>Pictures and people that a model was trained on, among those it is measured on.</summary>
/// <param name="Pictures">How many pictures, by content.</param>
/// <param name="People">How many people, by name.</param>
/// <param name="Example">The name of one.</param>
public sealed record OverlapFound(int Pictures, int People, string Example);

/// <summary>Looks for training data in a data set while the set is hashed, so that no model is certified on what it has learned.</summary>
public static class OverlapCheck
{
    /// <summary>Reads a set once: its hash, and what of it was trained on.</summary>
    /// <param name="data">The set.</param>
    /// <param name="trained">What the model was trained on; null if that is not known.</param>
    /// <param name="uses">Which samples are measured on; null for all.</param>
    /// <param name="done">Called with 1 for each picture read, from several threads.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <returns>The hash of the set (<see cref="DatasetHash"/>), and the overlap or null.</returns>
    public static (string Sha256, OverlapFound? Overlap) Read(FaceDataset data, TrainingFingerprint? trained, Func<FaceSample, bool>? uses = null,
        Action<int>? done = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(data);
        bool[] found = new bool[data.Samples.Count];
        string hash = data.ComputeHash(
            (i, encoded) =>
            {
                found[i] = trained is not null && (uses?.Invoke(data.Samples[i]) ?? true) && trained.HasPicture(encoded);
                done?.Invoke(1);
            },
            cancellation);
        if (trained is null)
        {
            return (hash, null);
        }

        IEnumerable<int> labels = data.Samples.Where(s => uses?.Invoke(s) ?? true).Select(s => s.Label).Distinct();
        string[] people = [.. labels.Select(label => data.People[label]).Where(trained.HasPerson)];
        string? first = Array.IndexOf(found, true) is >= 0 and int i ? data.Samples[i].Name : people.FirstOrDefault();
        return (hash, first is null ? null : new OverlapFound(found.Count(f => f), people.Length, first));
    }
}
