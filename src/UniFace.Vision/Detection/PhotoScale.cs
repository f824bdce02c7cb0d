namespace UniFace.Vision.Detection;

/// <summary>Maps faces found in a scaled image back to the photo. Pixel centers are at whole numbers.</summary>
internal readonly record struct PhotoScale(double X, double Y)
{
    /// <summary>The face in pixels of the photo.</summary>
    public DetectedFace Apply(DetectedFace face)
    {
        Point origin = Apply(new Point(face.X, face.Y));
        return face with
        {
            X = origin.X,
            Y = origin.Y,
            Width = (float)(face.Width * X),
            Height = (float)(face.Height * Y),
            Landmarks = face.Landmarks.Map(Apply),
        };
    }

    private Point Apply(Point p) => new((float)(((p.X + 0.5) * X) - 0.5), (float)(((p.Y + 0.5) * Y) - 0.5));
}
