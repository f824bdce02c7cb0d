namespace UniFace.Gallery;

/// <summary>A person of a gallery and the score of the probe.</summary>
/// <param name="Person">The person's name.</param>
/// <param name="Score">The person's score: a cosine, -1 to 1. See <see cref="PersonScore"/>.</param>
public readonly record struct GalleryCandidate(string Person, double Score);

/// <summary>Result of an open-set identification.</summary>
/// <param name="Person">The identified person; null if no person reaches the threshold.</param>
/// <param name="Threshold">The threshold that was used.</param>
/// <param name="Candidates">The best candidates, best first, whether they reach the threshold or not.</param>
public sealed record Identification(string? Person, double Threshold, IReadOnlyList<GalleryCandidate> Candidates)
{
    /// <summary>True if a person was identified.</summary>
    public bool IsMatch => Person is not null;
}
