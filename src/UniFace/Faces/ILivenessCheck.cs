namespace UniFace.Faces;

/// <summary>
/// Decides whether a face belongs to a person in front of the camera, rather than to a print, a screen or a mask. UniFace has no such check of its
/// own: without one, presentation attacks are not detected. A pipeline with a check refuses a main face that fails. Implementations are thread-safe.
/// </summary>
public interface ILivenessCheck
{
    /// <summary>Checks a face.</summary>
    /// <param name="photo">The photo.</param>
    /// <param name="face">The face, in pixels of the photo.</param>
    LivenessResult Check(Photo photo, DetectedFace face);
}

/// <summary>The result of a liveness check.</summary>
/// <param name="Score">Higher is more likely live.</param>
/// <param name="Threshold">The smallest score of a face that passes.</param>
public readonly record struct LivenessResult(double Score, double Threshold)
{
    /// <summary>Whether the face passes.</summary>
    public bool IsLive => Score >= Threshold;
}

#pragma warning disable RCS1194, CA1032 // Only pipelines throw it.

/// <summary>A face failed the liveness check, so it was neither embedded nor compared.</summary>
public sealed class NotLiveException : UniFaceException
{
    internal NotLiveException(string source, LivenessResult result)
        : base(
            $"{source}: the face does not pass the liveness check: " +
            Invariant($"score {result.Score:F3}, expected at least {result.Threshold:F3}; take a photo of the person"))
    {
    }
}
