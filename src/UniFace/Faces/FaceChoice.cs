namespace UniFace.Faces;

/// <summary>Which of a photo's faces are taken.</summary>
public enum FaceChoice
{
    /// <summary>One: the largest and most central.</summary>
    Largest,

    /// <summary>All of them.</summary>
    All,
}

/// <summary>Picks the face that a photo is of.</summary>
public static class MainFace
{
    /// <summary>
    /// The largest and most central face: its box's area less twice the squared distance of its center from the
    /// photo's center, so that a face half as large must be much nearer to the middle to win. Null where there is none.
    /// </summary>
    public static DetectedFace? Of(IReadOnlyList<DetectedFace> faces, int photoWidth, int photoHeight)
    {
        ArgumentNullException.ThrowIfNull(faces);
        DetectedFace? best = null;
        double bestRank = double.NegativeInfinity;
        foreach (DetectedFace face in faces)
        {
            double dx = face.X + (face.Width / 2.0) - (photoWidth / 2.0), dy = face.Y + (face.Height / 2.0) - (photoHeight / 2.0);
            double rank = ((double)face.Width * face.Height) - (2 * ((dx * dx) + (dy * dy)));
            if (rank > bestRank)
            {
                (best, bestRank) = (face, rank);
            }
        }

        return best;
    }
}
