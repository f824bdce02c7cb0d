namespace UniFace.Faces;

/// <summary>A point in pixels, x to the right, y down; whole numbers are pixel centers.</summary>
public readonly record struct Point(float X, float Y);

/// <summary>
/// The points of a face in pixels of its photo. "Left" is the left as one looks at the upright face, not the person's own.
/// A detector that sees only the center of the mouth gives it as both corners and says so by <see cref="MouthIsOnePoint"/>.
/// </summary>
public sealed record FaceLandmarks(Point LeftEye, Point RightEye, Point Nose, Point LeftMouth, Point RightMouth)
{
    /// <summary>True where the detector knows the mouth's center only; both corners then are that point.</summary>
    public bool MouthIsOnePoint { get; init; }
}

/// <summary>A face that a detector found.</summary>
/// <param name="X">Left edge of the box in pixels of the photo; may lie outside of it.</param>
/// <param name="Y">Top edge of the box.</param>
/// <param name="Width">Width of the box in pixels.</param>
/// <param name="Height">Height of the box in pixels.</param>
/// <param name="Score">The detector's confidence, 0 to 1.</param>
/// <param name="Landmarks">The face's points.</param>
public sealed record DetectedFace(float X, float Y, float Width, float Height, float Score, FaceLandmarks Landmarks)
{
    /// <summary>
    /// By how many degrees the photo was turned, clockwise, for the detector to find the face: 0, 90, 180 or 270.
    /// The coordinates are those of the photo as it is.
    /// </summary>
    public int TurnedBy { get; init; }
}
