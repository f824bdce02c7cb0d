namespace UniFace.Vision.Detection;

/// <summary>What the network sees in a square of the photo.</summary>
/// <param name="Presence">The logit of being a face.</param>
/// <param name="Points">The points, in pixels of the photo.</param>
internal sealed record MeshFace(float Presence, Point[] Points)
{
    // The outer corners of the eyes.
    private const int LeftCorner = 33, RightCorner = 263;

    /// <summary>The angle of the line through the eyes, in radians.</summary>
    public double Angle => Math.Atan2(Points[RightCorner].Y - Points[LeftCorner].Y, Points[RightCorner].X - Points[LeftCorner].X);

    /// <summary>The clockwise quarter turns of the photo after which the face is upright, to the nearest one.</summary>
    public int Turn => (int)Math.Round(-Angle / (Math.PI / 2)) & 3;

    /// <summary>The smallest rectangle around the face with sides along and across the line through the eyes.</summary>
    /// <param name="mirrored">The points are those of a mirrored square, so that the left eye is the right one.</param>
    public FaceFrame Frame(bool mirrored = false)
    {
        double angle = mirrored ? Angle + Math.PI : Angle, cos = Math.Cos(angle), sin = Math.Sin(angle);
        double left = double.MaxValue, top = double.MaxValue, right = double.MinValue, bottom = double.MinValue;
        foreach (Point p in Points)
        {
            double x = (cos * p.X) + (sin * p.Y), y = (cos * p.Y) - (sin * p.X);
            (left, right) = (Math.Min(left, x), Math.Max(right, x));
            (top, bottom) = (Math.Min(top, y), Math.Max(bottom, y));
        }

        double middleX = (left + right) / 2, middleY = (top + bottom) / 2;
        return new FaceFrame((cos * middleX) - (sin * middleY), (sin * middleX) + (cos * middleY), Math.Max(right - left, bottom - top), angle);
    }

    /// <summary>The upright box around the face.</summary>
    public FaceBox Box()
    {
        float left = Points.Min(p => p.X), top = Points.Min(p => p.Y);
        return new FaceBox(left, top, Points.Max(p => p.X) - left, Points.Max(p => p.Y) - top);
    }
}

/// <summary>Where a face is: center, length of its longer side in pixels, and the angle of its eyes in radians (positive: clockwise).</summary>
internal readonly record struct FaceFrame(double X, double Y, double Side, double Angle)
{
    /// <summary>The transform to a square of that many pixels in which the face is upright and as large as the given share.</summary>
    public SimilarityTransform To(int size, double share) => new SearchWindow(X, Y, Side / share).To(size, -Angle);

    /// <summary>Whether it is a place in a photo at all.</summary>
    public bool IsFinite => double.IsFinite(X + Y + Side + Angle) && Side is > 1 and < 1e6;
}

/// <summary>
/// The face landmark network of MediaPipe (Kartynnik et al., 2019): 468 points and the presence of a face from a square of 192 pixels around
/// it, in which the eyes are level. Thread-safe.
/// </summary>
internal sealed class FaceMesh : IDisposable
{
    /// <summary>Points per face.</summary>
    public const int PointCount = 468;

    private const int Size = 192;

    // The square is 1.5 times as large as the face.
    private const double FaceShare = 1 / 1.5;
    private static readonly string[] OutputNames = ["output0", "output1"];
    private static readonly PixelWriter<float> Writer = new(pixel => pixel / 255f, ColorOrder.Rgb, channelsLast: false);
    private readonly OnnxSession session;

    public FaceMesh(OnnxSession session) => this.session = session;

    /// <summary>Looks at a possible face.</summary>
    /// <param name="photo">The photo.</param>
    /// <param name="face">Where the face is.</param>
    /// <param name="mirrored">True to mirror the square. The points are in the photo then, but those of the left eye are at the right one.</param>
    public MeshFace Run(Photo photo, FaceFrame face, bool mirrored = false)
    {
        SimilarityTransform toInput = face.To(Size, FaceShare);
        RgbImage crop = photo.Warp(toInput, Size, Size, CropBorder.Replicate);
        using OnnxSession.Results results = Writer.Run(crop, mirrored, value => session.Run("input0", value, OutputNames));
        ReadOnlySpan<float> found = results.Floats(0); // [468, 3]: x, y, depth
        SimilarityTransform back = toInput.Inverse();
        Point[] points = new Point[PointCount];
        for (int p = 0; p < PointCount; p++)
        {
            // The network's 0 is the left edge; ours is the center of the first pixel.
            float x = found[3 * p] - 0.5f;
            points[p] = back.Apply(new Point(mirrored ? Size - 1 - x : x, found[(3 * p) + 1] - 0.5f));
        }

        return new MeshFace(results.Floats(1)[0], points);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => session.Dispose();
}
