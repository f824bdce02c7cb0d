namespace UniFace.Evaluation.Verification;

/// <summary>What a bootstrap resamples.</summary>
internal enum BootstrapUnit
{
    /// <summary>
    /// People if they are known and compared with many others (at least 10 non-mated pairs per person), otherwise pairs.
    /// </summary>
    Auto,

    /// <summary>
    /// Pairs, mated and non-mated ones separately. Right if pairs share few people, as in LFW's list; too narrow if everyone is compared
    /// with everyone.
    /// </summary>
    Pair,

    /// <summary>
    /// People, with all their pairs: a non-mated pair counts as often as both people were drawn, multiplied. Pairs of a person with a copy of
    /// itself are not made. Right if everyone is compared with everyone; too wide for sparse lists.
    /// </summary>
    Person,
}

/// <summary>How confidence intervals are computed.</summary>
internal sealed record BootstrapOptions
{
    /// <summary>Number of replicates. Large data lowers it, but not below 200: at most 10^9 pair draws in total.</summary>
    public int Replicates { get; init; } = 1000;

    /// <summary>Confidence level of the intervals, in (0, 1).</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>Seed; the same seed gives the same intervals on any number of threads.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>What is resampled.</summary>
    public BootstrapUnit Unit { get; init; } = BootstrapUnit.Auto;
}
