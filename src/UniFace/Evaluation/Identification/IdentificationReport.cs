namespace UniFace.Evaluation.Identification;

/// <summary>The result of searching a gallery of labelled people with a probe.</summary>
/// <param name="Probe">Index of the probe.</param>
/// <param name="Mate">The probe's person, an index of the gallery's people; -1 for a stranger.</param>
/// <param name="Top">The most similar person; -1 if the probe shows no face.</param>
/// <param name="TopScore">Cosine with that person.</param>
/// <param name="TopTemplate">The row of the gallery with that score.</param>
/// <param name="MateRank">1 if the mate is the most similar; 0 without a mate, or if the probe or the mate shows no face.</param>
/// <param name="MateScore">The mate's score; -infinity if the rank is 0.</param>
/// <param name="MateTemplate">The mate's most similar row; -1 if the rank is 0.</param>
public sealed record ProbeResult(int Probe, int Mate, int Top, double TopScore, int TopTemplate, int MateRank, double MateScore, int MateTemplate)
{
    /// <summary>Whether the probe's person is enrolled.</summary>
    public bool IsMated => Mate >= 0;
}

/// <summary>A threshold for one false positive identification rate.</summary>
public sealed record IdentificationPoint
{
    /// <summary>The target rate.</summary>
    public required double TargetFpir { get; init; }

    /// <summary>The lowest threshold with a measured rate of at most that; null if there are too few strangers.</summary>
    public double? Threshold { get; init; }

    /// <summary>Fraction of the strangers for whom anybody reaches the threshold.</summary>
    public double? Fpir { get; init; }

    /// <summary>Detection and identification rate: 1 - FNIR, the fraction of mated probes whose mate is first and reaches the threshold.</summary>
    public double? Dir { get; init; }

    /// <summary>Its Clopper-Pearson interval at 95 %.</summary>
    public ConfidenceInterval? DirInterval { get; init; }

    /// <summary>Why there is no threshold, and how many probes it needs.</summary>
    public string? Why { get; init; }
}

/// <summary>A point of the open-set error curve.</summary>
/// <param name="Threshold">A cosine.</param>
/// <param name="Fpir">False positive identification rate.</param>
/// <param name="Fnir">False negative identification rate at rank 1.</param>
public readonly record struct IdentificationDetPoint(double Threshold, double Fpir, double Fnir);

/// <summary>1:N accuracy, closed set and open set.</summary>
public sealed record IdentificationReport
{
    /// <summary>The false positive identification rates that are reported.</summary>
    public static IReadOnlyList<double> DefaultRates { get; } = [0.3, 0.1, 0.01, 0.003];

    /// <summary>People in the gallery with at least one template.</summary>
    public required int GalleryPeople { get; init; }

    /// <summary>Templates in the gallery.</summary>
    public required int GalleryTemplates { get; init; }

    /// <summary>Probes whose person is enrolled.</summary>
    public required int Mated { get; init; }

    /// <summary>Probes of strangers with a face.</summary>
    public required int NonMated { get; init; }

    /// <summary>Probes without a face: mated ones count as misses, strangers are left out.</summary>
    public required int Missing { get; init; }

    /// <summary>Fraction of the mated probes whose mate is the most similar.</summary>
    public double Rank1 => HitRate(1);

    /// <summary>Fraction whose mate is among the five most similar.</summary>
    public double Rank5 => HitRate(5);

    /// <summary>Fraction whose mate is among the ten most similar.</summary>
    public double Rank10 => HitRate(10);

    /// <summary>DIR at each false positive identification rate, the largest first.</summary>
    public required IReadOnlyList<IdentificationPoint> Points { get; init; }

    /// <summary>The curve, from the strictest threshold to the loosest; empty without strangers.</summary>
    public required IReadOnlyList<IdentificationDetPoint> Det { get; init; }

    /// <summary>Every probe.</summary>
    public required IReadOnlyList<ProbeResult> Probes { get; init; }

    /// <summary>Fraction of the mated probes whose mate is among the most similar people, at any score.</summary>
    /// <param name="rank">Number of people, at least 1.</param>
    public double HitRate(int rank) => Probes.Count(p => p.IsMated && p.MateRank >= 1 && p.MateRank <= rank) / (double)Mated;
}
