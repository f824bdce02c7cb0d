namespace UniFace.Evaluation;

/// <summary>What a gallery of labelled people makes of a probe.</summary>
/// <param name="Probe">Index of the probe.</param>
/// <param name="Mate">The probe's person as index of the gallery's people; -1 for a stranger.</param>
/// <param name="Top">The most alike person; -1 where the probe shows no face.</param>
/// <param name="TopScore">How alike, a cosine.</param>
/// <param name="TopTemplate">The row of the gallery that is so alike.</param>
/// <param name="MateRank">1 where the mate is the most alike; 0 without a mate, or where probe or mate show no face.</param>
/// <param name="MateScore">The mate's score; -infinity likewise.</param>
/// <param name="MateTemplate">The mate's most alike row; -1 likewise.</param>
public sealed record ProbeResult(int Probe, int Mate, int Top, double TopScore, int TopTemplate, int MateRank, double MateScore, int MateTemplate)
{
    /// <summary>True for a probe whose person is enrolled.</summary>
    public bool IsMated => Mate >= 0;
}

/// <summary>A threshold for one false positive identification rate.</summary>
public sealed record IdentificationPoint
{
    /// <summary>The rate asked for.</summary>
    public required double TargetFpir { get; init; }

    /// <summary>The lowest threshold at which the measured rate is no more than that; null where the strangers are too few to state it.</summary>
    public double? Threshold { get; init; }

    /// <summary>Share of the strangers that anybody was taken for, at the threshold.</summary>
    public double? Fpir { get; init; }

    /// <summary>Detection and identification rate: 1 - FNIR, the share of mated probes whose mate is first and reaches the threshold.</summary>
    public double? Dir { get; init; }

    /// <summary>Its Clopper-Pearson interval at 95 %.</summary>
    public ConfidenceInterval? DirInterval { get; init; }

    /// <summary>Why there is no threshold, and what it takes.</summary>
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

    /// <summary>Share of the mated probes whose mate is the most alike.</summary>
    public double Rank1 => HitRate(1);

    /// <summary>Among the five most alike.</summary>
    public double Rank5 => HitRate(5);

    /// <summary>Among the ten most alike.</summary>
    public double Rank10 => HitRate(10);

    /// <summary>DIR at each false positive identification rate, the largest first.</summary>
    public required IReadOnlyList<IdentificationPoint> Points { get; init; }

    /// <summary>The curve, from the strictest threshold to the loosest; empty without strangers.</summary>
    public required IReadOnlyList<IdentificationDetPoint> Det { get; init; }

    /// <summary>Every probe.</summary>
    public required IReadOnlyList<ProbeResult> Probes { get; init; }

    /// <summary>Share of the mated probes whose mate is among the most alike people, whatever the score.</summary>
    /// <param name="rank">How many people, 1 or more.</param>
    public double HitRate(int rank) => Probes.Count(p => p.IsMated && p.MateRank >= 1 && p.MateRank <= rank) / (double)Mated;
}
