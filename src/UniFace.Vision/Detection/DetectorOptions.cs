namespace UniFace.Vision.Detection;

/// <summary>How a detector works.</summary>
public sealed record DetectorOptions
{
    /// <summary>Faces less confident than this are not given, 0 to 1; null for the detector's own default.</summary>
    public float? MinScore { get; init; }

    /// <summary>Boxes that overlap by more than this (intersection over union) are one face.</summary>
    public float MaxOverlap { get; init; } = 0.3f;

    /// <summary>
    /// Threads inside one detection. 1, the default, is the fastest where several photos are worked on at a time.
    /// </summary>
    public int Threads { get; init; } = 1;
}
