namespace UniFace.Evaluation.Verification;

/// <summary>How many pairs of a labeled set are scored.</summary>
internal sealed record PairOptions
{
    /// <summary>Limit of mated pairs; if there are more, that many are drawn evenly from all.</summary>
    public int MaxSamePairs { get; init; } = 1_000_000;

    /// <summary>Limit of non-mated pairs; if there are more, about that many are drawn evenly from all.</summary>
    public int MaxDifferentPairs { get; init; } = 4_000_000;

    /// <summary>Seed of the draw.</summary>
    public long Seed { get; init; } = 1;
}
