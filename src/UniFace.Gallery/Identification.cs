namespace UniFace.Gallery;

/// <summary>A person of a gallery and how alike the probe is.</summary>
/// <param name="Person">Who.</param>
/// <param name="Score">The person's score: a cosine, -1 to 1. See <see cref="PersonScore"/>.</param>
public readonly record struct GalleryCandidate(string Person, double Score);

/// <summary>Answer of an open-set identification.</summary>
/// <param name="Person">Who it is, or null where nobody reaches the threshold: unknown.</param>
/// <param name="Threshold">The threshold asked for.</param>
/// <param name="Candidates">The most alike people, best first, whether they reach the threshold or not.</param>
public sealed record Identification(string? Person, double Threshold, IReadOnlyList<GalleryCandidate> Candidates)
{
    /// <summary>True where somebody was recognised.</summary>
    public bool IsMatch => Person is not null;
}
