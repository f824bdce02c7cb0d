namespace UniFace.Vision.Detection;

/// <summary>An upright box in pixels.</summary>
internal readonly record struct FaceBox(float X, float Y, float Width, float Height)
{
    /// <summary>Intersection over union, 0 to 1.</summary>
    public float Overlap(FaceBox other) => Common(other) is float both and > 0 ? both / ((Width * Height) + (other.Width * other.Height) - both) : 0;

    /// <summary>The part of the smaller box that lies in the other, 0 to 1.</summary>
    public float Shared(FaceBox other) => Common(other) is float both and > 0 ? both / Math.Min(Width * Height, other.Width * other.Height) : 0;

    private float Common(FaceBox other)
    {
        float width = Math.Min(X + Width, other.X + other.Width) - Math.Max(X, other.X);
        float height = Math.Min(Y + Height, other.Y + other.Height) - Math.Max(Y, other.Y);
        return width > 0 && height > 0 ? width * height : 0;
    }
}

/// <summary>Keeps the best of overlapping boxes.</summary>
internal static class NonMaximumSuppression
{
    /// <summary>Items by descending score, without those whose box overlaps that of a better item.</summary>
    /// <param name="items">The items.</param>
    /// <param name="box">The box of an item.</param>
    /// <param name="score">The score of an item.</param>
    /// <param name="maxOverlap">The allowed intersection over union.</param>
    public static List<T> Select<T>(IEnumerable<T> items, Func<T, FaceBox> box, Func<T, float> score, float maxOverlap)
    {
        List<T> kept = [];
        foreach (T item in items.OrderByDescending(score))
        {
            if (!kept.Exists(better => box(item).Overlap(box(better)) > maxOverlap))
            {
                kept.Add(item);
            }
        }

        return kept;
    }
}
