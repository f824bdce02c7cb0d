namespace UniFace.Faces;

/// <summary>A point in pixels, x to the right, y down; whole numbers are pixel centers.</summary>
public readonly record struct Point(float X, float Y);

/// <summary>
/// The points of a face in pixels of its photo. "Left" is the viewer's left of the upright face, not the person's own. A detector that finds
/// only the center of the mouth gives it as both corners and sets <see cref="MouthIsOnePoint"/>.
/// </summary>
public sealed record FaceLandmarks(Point LeftEye, Point RightEye, Point Nose, Point LeftMouth, Point RightMouth)
{
    /// <summary>Whether the detector finds the mouth's center only; both corners are that point then.</summary>
    public bool MouthIsOnePoint { get; init; }

    /// <summary>The five points, in the order of the parameters.</summary>
    public Point[] ToArray() => [LeftEye, RightEye, Nose, LeftMouth, RightMouth];

    /// <summary>The landmarks with every point mapped.</summary>
    public FaceLandmarks Map(Func<Point, Point> map) => this with
    {
        LeftEye = map(LeftEye),
        RightEye = map(RightEye),
        Nose = map(Nose),
        LeftMouth = map(LeftMouth),
        RightMouth = map(RightMouth),
    };
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
    /// The clockwise rotation of the photo, in degrees, at which the detector found the face: 0, 90, 180 or 270. The coordinates are those of
    /// the unrotated photo.
    /// </summary>
    public int TurnedBy { get; init; }

    /// <summary>The face with its box and landmarks mapped; the box stays upright, and fits if the transform turns by quarter turns.</summary>
    internal DetectedFace Map(SimilarityTransform transform)
    {
        Point a = transform.Apply(new Point(X, Y)), b = transform.Apply(new Point(X + Width, Y + Height));
        return this with
        {
            X = Math.Min(a.X, b.X),
            Y = Math.Min(a.Y, b.Y),
            Width = Math.Abs(a.X - b.X),
            Height = Math.Abs(a.Y - b.Y),
            Landmarks = Landmarks.Map(transform.Apply),
        };
    }

    /// <summary>Center of the box, from left to right.</summary>
    internal double CenterX => X + (Width / 2.0);

    /// <summary>Center of the box, from top to bottom.</summary>
    internal double CenterY => Y + (Height / 2.0);
}
