using UniFace.Packages;

namespace UniFace.Gallery;

/// <summary>Finds enrolled faces that are also enrolled under another name.</summary>
/// <param name="Threshold">Cosine from which two faces count as the same person.</param>
/// <param name="FalseMatchRate">The false match rate of the threshold.</param>
internal sealed record LookAlikeRule(double Threshold, double FalseMatchRate)
{
    /// <summary>How many candidates to search for: the person itself and the most similar other person.</summary>
    public const int Candidates = 2;

    /// <summary>The rule at the strictest false match rate that a calibration supports; null if it supports none, or is null.</summary>
    public static LookAlikeRule? Create(Calibration? calibration) => calibration?.Entries
        .Where(e => e is { Supported: true, Threshold: not null })
        .OrderBy(e => e.FalseMatchRate)
        .Select(e => new LookAlikeRule(e.Threshold!.Value, e.FalseMatchRate))
        .FirstOrDefault();

    /// <summary>The candidates of other names that look like a person.</summary>
    /// <param name="person">The name under which the face was enrolled.</param>
    /// <param name="candidates">The result of a search for the face.</param>
    public IEnumerable<GalleryCandidate> Filter(string person, IReadOnlyList<GalleryCandidate> candidates) =>
        candidates.Where(c => c.Person != person && c.Score >= Threshold);
}
