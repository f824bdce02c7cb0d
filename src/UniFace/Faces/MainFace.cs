namespace UniFace.Faces;

/// <summary>
/// Selects the main face of a photo. A face's weight is the fraction of the photo that its visible part fills, times a factor from 1 (center) to
/// 0.45 (corner), times a factor that falls steeply for a low confidence of the detector. It is relative to the photo, so the main face does not
/// depend on the photo's size.
/// </summary>
public static class MainFace
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

        // A face that is cut off counts by its visible part, and less for what is missing: a detector may guess the rest.
        double visible = Length(face.X, face.Width, width) * Length(face.Y, face.Height, height);
        double area = visible <= 0 ? 0 : visible * Math.Min(1, visible / (face.Width * (double)face.Height)) / (width * height);
        double distance = double.Hypot(face.CenterX - width / 2, face.CenterY - height / 2);
        double offCenter = distance / double.Hypot(width / 2, height / 2);
        double confidence = Math.Clamp((face.Score - ZeroScore) / (FullScore - ZeroScore), 0.01, 1);
        return area * (1 - (0.55 * Math.Min(offCenter, 1))) * confidence * confidence * confidence;
    }

    /// <summary>The length of a box inside the photo along one axis.</summary>
    private static double Length(double from, double length, double photo) => Math.Max(0, Math.Min(from + length, photo) - Math.Max(from, 0));

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
