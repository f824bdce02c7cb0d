using UniFace.Faces;

namespace UniFace.Vision.Detection;

/// <summary>Keeps the best of boxes that overlap.</summary>
internal static class NonMaximumSuppression
{
    /// <summary>
    /// Faces by descending score, without those that overlap a better one by more than <paramref name="maxOverlap"/>
    /// (intersection over union), or lie to <paramref name="maxInside"/> of their own area inside it.
    /// </summary>
    public static List<DetectedFace> Keep(IEnumerable<DetectedFace> faces, float maxOverlap, float maxInside = 1)
    {
        List<DetectedFace> kept = [];
        foreach (DetectedFace face in faces.OrderByDescending(face => face.Score))
        {
            if (!kept.Exists(better => Overlap(face, better) > maxOverlap || Intersection(face, better) > maxInside * Math.Min(face.Width * face.Height, better.Width * better.Height)))
            {
                kept.Add(face);
            }
        }

        return kept;
    }

    /// <summary>Intersection over union, 0 to 1.</summary>
    public static float Overlap(DetectedFace a, DetectedFace b)
    {
        float both = Intersection(a, b);
        return both / ((a.Width * a.Height) + (b.Width * b.Height) - both);
    }

    private static float Intersection(DetectedFace a, DetectedFace b)
    {
        float width = Math.Min(a.X + a.Width, b.X + b.Width) - Math.Max(a.X, b.X);
        float height = Math.Min(a.Y + a.Height, b.Y + b.Height) - Math.Max(a.Y, b.Y);
        return width > 0 && height > 0 ? width * height : 0;
    }
}
