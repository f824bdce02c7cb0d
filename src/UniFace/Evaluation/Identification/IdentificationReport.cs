namespace UniFace.Evaluation.Identification;

/// <summary>The result of searching a gallery of labeled people with a probe.</summary>
/// <param name="Probe">Index of the probe.</param>
/// <param name="Mate">The probe's person, an index of the gallery's people; -1 for a stranger.</param>
/// <param name="Top">The most similar person; -1 if the probe shows no face.</param>
/// <param name="TopScore">Cosine with that person.</param>
/// <param name="TopTemplate">The row of the gallery with that score.</param>
/// <param name="MateRank">1 if the mate is the most similar; 0 without a mate, or if the probe or the mate shows no face.</param>
/// <param name="MateScore">The mate's score; -infinity if the rank is 0.</param>
/// <param name="MateTemplate">The mate's most similar row; -1 if the rank is 0.</param>
internal sealed record ProbeResult(int Probe, int Mate, int Top, double TopScore, int TopTemplate, int MateRank, double MateScore, int MateTemplate)
{
    /// <summary>Whether the probe's person is enrolled.</summary>
    public bool IsMated => Mate >= 0;
}

/// <summary>A threshold for one false positive identification rate.</summary>
/// <param name="TargetFpir">The target rate.</param>
/// <param name="Threshold">The lowest threshold with a measured rate of at most that; null if there are too few strangers.</param>
/// <param name="Fpir">Fraction of the strangers for whom anybody reaches the threshold.</param>
/// <param name="Dir">Detection and identification rate: 1 - FNIR, the fraction of mated probes whose mate is first and reaches the threshold.</param>
/// <param name="DirInterval">Its Clopper-Pearson interval at 95 %.</param>
/// <param name="Why">Why there is no threshold, and how many probes it needs.</param>
internal sealed record IdentificationPoint(
    double TargetFpir, double? Threshold = null, double? Fpir = null, double? Dir = null, ConfidenceInterval? DirInterval = null, string? Why = null);

/// <summary>A point of the open-set error curve.</summary>
/// <param name="Threshold">A cosine.</param>
/// <param name="Fpir">False positive identification rate.</param>
/// <param name="Fnir">False negative identification rate at rank 1.</param>
internal readonly record struct IdentificationDetPoint(double Threshold, double Fpir, double Fnir);

/// <summary>1:N accuracy, closed set and open set.</summary>
/// <param name="GalleryPeople">People in the gallery with at least one template.</param>
/// <param name="GalleryTemplates">Templates in the gallery.</param>
/// <param name="Mated">Probes whose person is enrolled.</param>
/// <param name="NonMated">Probes of strangers with a face.</param>
/// <param name="Missing">Probes without a face: mated ones count as misses, non-mated ones are skipped.</param>
/// <param name="Points">DIR at each false positive identification rate, the largest first.</param>
/// <param name="Det">The curve, from the strictest threshold to the loosest; empty without strangers.</param>
/// <param name="Probes">Every probe.</param>
internal sealed record IdentificationReport(
    int GalleryPeople,
    int GalleryTemplates,
    int Mated,
    int NonMated,
    int Missing,
    IReadOnlyList<IdentificationPoint> Points,
    IReadOnlyList<IdentificationDetPoint> Det,
    IReadOnlyList<ProbeResult> Probes)
{
    /// <summary>The false positive identification rates that are reported.</summary>
    public static IReadOnlyList<double> DefaultRates { get; } = [0.3, 0.1, 0.01, 0.003];

    /// <summary>Fraction of the mated probes whose mate is among the most similar people, at any score.</summary>
    /// <param name="rank">Number of people, at least 1.</param>
    public double HitRate(int rank) => Probes.Count(p => p.MateRank >= 1 && p.MateRank <= rank) / (double)Mated;
}
