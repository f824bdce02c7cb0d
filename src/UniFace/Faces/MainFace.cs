namespace UniFace.Faces;

/// <summary>
/// Selects the main face of a photo. A face's weight is its fraction of the photo's area, times a factor from 1 (center) to 0.5 (corner),
/// times a factor that falls steeply for a low confidence of the detector. It is relative to the photo, so the main face does not depend on
/// the photo's size.
/// </summary>
internal static class MainFace
{
    /// <summary>A photo is ambiguous if another face has at least this share of the main face's weight: about half its width.</summary>
    public const double AmbiguousShare = 0.25;

    // On LFW and CelebA nearly all faces score above 0.8 with both detectors; false detections are near their limits of 0.5 and 0.6.
    private const double FullScore = 0.8;
    private const double ZeroScore = 0.4;

    /// <summary>The weight of a face; at least 0.</summary>
    public static double Weight(DetectedFace face, int photoWidth, int photoHeight)
    {
        double width = photoWidth, height = photoHeight;
        double area = Math.Max(0, face.Width) * Math.Max(0, face.Height) / (width * height);
        double distance = double.Hypot(face.CenterX - width / 2, face.CenterY - height / 2);
        double offCenter = distance / double.Hypot(width / 2, height / 2);
        double confidence = Math.Clamp((face.Score - ZeroScore) / (FullScore - ZeroScore), 0.01, 1);
        return area * (1 - (0.5 * Math.Min(offCenter * offCenter, 1))) * confidence * confidence * confidence;
    }

    /// <summary>The face with the largest weight; null if there is none.</summary>
    public static DetectedFace? Select(IReadOnlyList<DetectedFace> faces, int photoWidth, int photoHeight) =>
        faces.MaxBy(face => Weight(face, photoWidth, photoHeight));

    /// <summary>Whether another face could be the main one. A box around the center of the main face is a second detection of it.</summary>
    public static bool IsAmbiguous(DetectedFace main, IReadOnlyList<DetectedFace> faces, int photoWidth, int photoHeight)
    {
        double weight = AmbiguousShare * Weight(main, photoWidth, photoHeight);
        return faces.Any(other => !ReferenceEquals(other, main) && Weight(other, photoWidth, photoHeight) >= weight && !Within(main, other));
    }

    private static bool Within(DetectedFace main, DetectedFace other) =>
        Math.Abs(other.CenterX - main.CenterX) < main.Width / 4 && Math.Abs(other.CenterY - main.CenterY) < main.Height / 4;
}
