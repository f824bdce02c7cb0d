namespace UniFace.Vision.Detection;

/// <summary>How a detector works.</summary>
internal sealed record DetectorOptions
{
    /// <summary>The lowest score of a face, 0 to 1; null for the detector's default.</summary>
    public float? MinScore { get; init; }

    /// <summary>Boxes that overlap by more than this (intersection over union) are the same face.</summary>
    public float MaxOverlap { get; init; } = 0.3f;

    /// <summary>Threads inside one detection. 1 is the fastest if several photos are processed at a time.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>What the networks run on.</summary>
    public ExecutionProvider ExecutionProvider { get; init; }
}
