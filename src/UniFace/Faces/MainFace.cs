namespace UniFace.Faces;

/// <summary>
/// Picks the face that a photo is of. A face's weight is its share of the photo's area, times a factor between 1 (in the middle) and 0.5
/// (in a corner), times a factor that falls steeply from 1 where the detector is hardly sure that it is a face. All is relative to the photo, so
/// the same photo in another size has the same main face.
/// </summary>
public static class MainFace
{
    /// <summary>A photo is ambiguous if another face has at least this share of the main face's weight: about half its width.</summary>
    public const double AmbiguousShare = 0.25;

    // On LFW and CelebA nearly all faces score above 0.8 by both detectors; false finds are near the detectors' limits of 0.5 and 0.6.
    private const double SureScore = 0.8;
    private const double NoScore = 0.4;

    /// <summary>How much a face is what the photo is of; 0 or more.</summary>
    public static double Weight(DetectedFace face, int photoWidth, int photoHeight)
    {
        ArgumentNullException.ThrowIfNull(face);
        double width = photoWidth, height = photoHeight;
        double area = Math.Max(0, face.Width) * Math.Max(0, face.Height) / (width * height);
        double off = double.Hypot(face.X + (face.Width / 2.0) - (width / 2), face.Y + (face.Height / 2.0) - (height / 2)) / double.Hypot(width / 2, height / 2);
        double sure = Math.Clamp((face.Score - NoScore) / (SureScore - NoScore), 0.01, 1);
        return area * (1 - (0.5 * Math.Min(off * off, 1))) * sure * sure * sure;
    }

    /// <summary>The face of the largest weight; null if there is none.</summary>
    public static DetectedFace? Of(IReadOnlyList<DetectedFace> faces, int photoWidth, int photoHeight)
    {
        ArgumentNullException.ThrowIfNull(faces);
        return faces.MaxBy(face => Weight(face, photoWidth, photoHeight));
    }

    /// <summary>Whether another face could be the main one, too. A box about the middle of the main face is the same face, found twice.</summary>
    public static bool IsAmbiguous(DetectedFace main, IReadOnlyList<DetectedFace> faces, int photoWidth, int photoHeight)
    {
        ArgumentNullException.ThrowIfNull(main);
        ArgumentNullException.ThrowIfNull(faces);
        double weight = AmbiguousShare * Weight(main, photoWidth, photoHeight);
        return faces.Any(other => !ReferenceEquals(other, main) && Weight(other, photoWidth, photoHeight) >= weight && !Within(main, other));
    }

    private static bool Within(DetectedFace main, DetectedFace other) =>
        Math.Abs(other.X + (other.Width / 2) - main.X - (main.Width / 2)) < main.Width / 4
        && Math.Abs(other.Y + (other.Height / 2) - main.Y - (main.Height / 2)) < main.Height / 4;
}
