using UniFace.Evaluation.Identification;

namespace UniFace.Training.Evaluation;

/// <summary>A 1:N measurement.</summary>
/// <param name="Report">The metrics.</param>
/// <param name="Gallery">The enrolled images.</param>
/// <param name="Probes">The probes, mated and non-mated.</param>
/// <param name="People">The enrolled people.</param>
/// <param name="SetHashes">The hashes (<see cref="DatasetHash"/>) of the gallery, the probes, and the non-mated probes if they are a set.</param>
/// <param name="Overlap">The allowed overlap with the training data; null if there is none.</param>
internal sealed record IdentificationMeasurement(
    IdentificationReport Report,
    IdentificationMeasurement.Images Gallery,
    IdentificationMeasurement.Images Probes,
    IReadOnlyList<string> People,
    IReadOnlyList<string> SetHashes,
    TrainingOverlap? Overlap)
{
    /// <summary>Images with their embeddings.</summary>
    /// <param name="Names">Their names.</param>
    /// <param name="Read">Reads an image, while its set is open.</param>
    /// <param name="People">The enrolled person in each image; -1 if not enrolled.</param>
    /// <param name="Faces">Their embeddings.</param>
    internal sealed record Images(IReadOnlyList<string> Names, Func<int, byte[]> Read, int[] People, EmbeddedFaces Faces);
}
