namespace UniFace.Training.Evaluation;

/// <summary>The images of a set with their embeddings.</summary>
/// <param name="Name">The set's name.</param>
/// <param name="Images">Names of the images, each once.</param>
/// <param name="Faces">Their embeddings.</param>
/// <param name="Detector">How faces were found, or "aligned".</param>
/// <param name="Seconds">Time to decode, align and embed.</param>
internal sealed record EmbeddedSet(string Name, IReadOnlyList<string> Images, EmbeddedFaces Faces, string Detector, double Seconds)
{
    /// <summary>Names of the images without a face.</summary>
    public IReadOnlyList<string> MissingImages { get; } = [.. Images.Where((_, i) => !Faces.Found[i])];
}
