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

    /// <summary>The score of the best candidate; null if nobody is enrolled.</summary>
    public double? Score => Candidates is [GalleryCandidate best, ..] ? best.Score : null;

    /// <summary>How often a person who is not enrolled matches somebody at this threshold, by the model's calibration; null without one.</summary>
    public double? FalsePositiveIdentificationRate { get; init; }

    /// <summary>What to know about the rate, one sentence each: a default that is not supported, a calibration on training data.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The decision in a sentence.</summary>
    public string Reason => Candidates is not [GalleryCandidate best, ..]
        ? "nobody is enrolled"
        : Invariant($"the score of {best.Person}, {best.Score:F4}, {(IsMatch ? "reaches" : "is below")} the threshold {Threshold:F4}");
}
