namespace UniFace.Training.Data;

/// <summary>How pictures are varied; each with its probability from 0 (never) to 1 (always).</summary>
public sealed record AugmentOptions
{
    /// <summary>Nothing but the mirroring that every recipe has.</summary>
    public static AugmentOptions Default { get; } = new();

    /// <summary>No variation at all.</summary>
    public static AugmentOptions None { get; } = new() { Flip = 0 };

    /// <summary>Mirrored left to right.</summary>
    public double Flip { get; init; } = 0.5;
}
