namespace UniFace.Synthetic;

/// <summary>Draws smooth shapes given in points of the head. One paint serves all shapes of an image. Owns the paths that it creates.</summary>
internal sealed class FacePen(SKCanvas canvas, HeadView view) : IDisposable
{
    private readonly SKPaint paint = new() { IsAntialias = true, StrokeCap = SKStrokeCap.Round, StrokeJoin = SKStrokeJoin.Round };
    private readonly List<SKPath> paths = [];

    public HeadView View => view;

    public void Dispose()
    {
        paths.ForEach(path => path.Dispose());
        paint.Dispose();
    }

    /// <summary>A path that the pen disposes.</summary>
    public SKPath Path(Action<SKPathBuilder> build)
    {
        using SKPathBuilder builder = new();
        build(builder);
        paths.Add(builder.Detach());
        return paths[^1];
    }

    /// <summary>A smooth closed curve through points of the head (Catmull-Rom).</summary>
    public SKPath Closed(params ReadOnlySpan<HeadPoint> points) => Smooth(ToPixels(points), true);

    /// <summary>A smooth closed curve down the right side and, mirrored, up the left side. Points with X = 0 are not repeated.</summary>
    /// <param name="lead">Points at the end of the left side with which the path starts: antialiasing depends on where it does.</param>
    /// <param name="right">The right side.</param>
    public SKPath Symmetric(int lead, params ReadOnlySpan<HeadPoint> right)
    {
        List<HeadPoint> points = [.. right, .. right.ToArray().Reverse().Where(p => p.X != 0).Select(p => p with { X = -p.X })];
        return Closed([.. points[^lead..], .. points[..^lead]]);
    }

    /// <summary>A smooth open curve through points of the head.</summary>
    public SKPath Open(params ReadOnlySpan<HeadPoint> points) => Smooth(ToPixels(points), false);

    /// <summary>A smooth curve through pixels.</summary>
    public SKPath Smooth(SKPoint[] p, bool closed) => Path(builder =>
    {
        builder.MoveTo(p[0]);
        int count = p.Length;
        for (int i = 0; i < (closed ? count : count - 1); i++)
        {
            SKPoint a = closed ? p[(i + count - 1) % count] : p[Math.Max(i - 1, 0)];
            SKPoint b = p[i];
            SKPoint c = p[(i + 1) % count];
            SKPoint d = closed ? p[(i + 2) % count] : p[Math.Min(i + 2, count - 1)];
            builder.CubicTo(
                new SKPoint(b.X + ((c.X - a.X) / 6), b.Y + ((c.Y - a.Y) / 6)),
                new SKPoint(c.X - ((d.X - b.X) / 6), c.Y - ((d.Y - b.Y) / 6)),
                c);
        }

        if (closed)
        {
            builder.Close();
        }
    });

    /// <summary>Fills a path, and draws inside it.</summary>
    public void Fill(SKPath path, SKColor color, Action? inside = null)
    {
        paint.Style = SKPaintStyle.Fill;
        paint.Color = color;
        canvas.DrawPath(path, paint);
        if (inside is not null)
        {
            Inside(path, inside);
        }
    }

    /// <summary>Fills a path with a gradient along a line between two pixels.</summary>
    public void FillLinear(SKPath path, SKPoint from, SKPoint to, SKColor start, SKColor end) =>
        Shaded(SKShader.CreateLinearGradient(from, to, [start, end], SKShaderTileMode.Clamp), () => canvas.DrawPath(path, paint));

    /// <summary>Fills a path with a gradient around a pixel.</summary>
    public void FillRadial(SKPath path, SKPoint center, float radius, SKColor inner, SKColor outer) =>
        Shaded(SKShader.CreateRadialGradient(center, Math.Max(radius, 0.5f), [inner, outer], SKShaderTileMode.Clamp), () => canvas.DrawPath(path, paint));

    /// <summary>Strokes a path; the width is in head units.</summary>
    public void Stroke(SKPath path, SKColor color, float width)
    {
        paint.Style = SKPaintStyle.Stroke;
        paint.StrokeWidth = Math.Max(width * view.Scale, 0.4f);
        paint.Color = color;
        canvas.DrawPath(path, paint);
    }

    /// <summary>A soft spot that fades to its edge; radii in head units.</summary>
    public void Spot(HeadPoint center, float radiusX, float radiusY, SKColor color, float alpha)
    {
        SKPoint c = view.Project(center);
        float rx = radiusX * view.Scale, ry = radiusY * view.Scale;
        SKShader shader = SKShader.CreateRadialGradient(
            new SKPoint(0, 0), 1, [color.Fade(alpha), color.Fade(alpha * 0.55f), color.Fade(0)], [0, 0.5f, 1], SKShaderTileMode.Clamp);
        canvas.Save();
        canvas.Translate(c.X, c.Y);
        canvas.Scale(Math.Max(rx, 0.01f), Math.Max(ry, 0.01f));
        Shaded(shader, () => canvas.DrawCircle(0, 0, 1, paint));
        canvas.Restore();
    }

    /// <summary>A disc in head units that faces the camera.</summary>
    public void Disc(HeadPoint center, float radius, SKColor color)
    {
        paint.Style = SKPaintStyle.Fill;
        paint.Color = color;
        canvas.DrawCircle(view.Project(center), radius * view.Scale, paint);
    }

    /// <summary>Draws inside a path only.</summary>
    public void Inside(SKPath path, Action draw)
    {
        canvas.Save();
        canvas.ClipPath(path, SKClipOperation.Intersect, true);
        draw();
        canvas.Restore();
    }

    private void Shaded(SKShader shader, Action draw)
    {
        using (shader)
        {
            paint.Style = SKPaintStyle.Fill;
            paint.Color = SKColors.Black;
            paint.Shader = shader;
            draw();
            paint.Shader = null;
        }
    }

    private SKPoint[] ToPixels(ReadOnlySpan<HeadPoint> points) => [.. points.ToArray().Select(view.Project)];
}
