namespace UniFace.Synthetic;

/// <summary>Draws smooth shapes given in points of the head. One paint serves all shapes of a picture.</summary>
internal sealed class FacePen(SKCanvas canvas, HeadView view) : IDisposable
{
    private readonly SKPaint paint = new() { IsAntialias = true, StrokeCap = SKStrokeCap.Round, StrokeJoin = SKStrokeJoin.Round };

    public HeadView View => view;

    public void Dispose() => paint.Dispose();

    /// <summary>A smooth closed curve through points of the head (Catmull-Rom).</summary>
    public SKPath Closed(params ReadOnlySpan<HeadPoint> points) => Smooth(ToPixels(points), true);

    /// <summary>A smooth closed curve down the right side and, mirrored, up the left side. Points with X = 0 are not repeated.</summary>
    /// <param name="lead">Points at the end of the left side with which the path starts: antialiasing depends on where it does.</param>
    /// <param name="right">The right side.</param>
    public SKPath Symmetric(int lead, params ReadOnlySpan<HeadPoint> right)
    {
        List<HeadPoint> points = [.. right];
        for (int i = right.Length - 1; i >= 0; i--)
        {
            if (right[i].X != 0)
            {
                points.Add(right[i] with { X = -right[i].X });
            }
        }

        return Closed([.. points[^lead..], .. points[..^lead]]);
    }

    /// <summary>A smooth open curve through points of the head.</summary>
    public SKPath Open(params ReadOnlySpan<HeadPoint> points) => Smooth(ToPixels(points), false);

    /// <summary>A smooth curve through pixels.</summary>
    public static SKPath Smooth(ReadOnlySpan<SKPoint> p, bool closed)
    {
        using SKPathBuilder builder = new();
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

        return builder.Detach();
    }

    /// <summary>Fills a path, draws inside it, and disposes it.</summary>
    public void Fill(SKPath path, SKColor color, Action? inside = null)
    {
        using (path)
        {
            FillKept(path, color);
            if (inside is not null)
            {
                Inside(path, inside);
            }
        }
    }

    /// <summary>Fills a path and leaves it to the caller.</summary>
    public void FillKept(SKPath path, SKColor color)
    {
        paint.Style = SKPaintStyle.Fill;
        paint.Color = color;
        canvas.DrawPath(path, paint);
    }

    /// <summary>Fills a path with a gradient along a line between two pixels, and leaves it to the caller.</summary>
    public void FillLinear(SKPath path, SKPoint from, SKPoint to, SKColor start, SKColor end)
    {
        using SKShader shader = SKShader.CreateLinearGradient(from, to, [start, end], SKShaderTileMode.Clamp);
        Shaded(shader, () => canvas.DrawPath(path, paint));
    }

    /// <summary>Fills a path with a gradient around a pixel, and leaves it to the caller.</summary>
    public void FillRadial(SKPath path, SKPoint center, float radius, SKColor inner, SKColor outer)
    {
        using SKShader shader = SKShader.CreateRadialGradient(center, Math.Max(radius, 0.5f), [inner, outer], SKShaderTileMode.Clamp);
        Shaded(shader, () => canvas.DrawPath(path, paint));
    }

    /// <summary>Strokes a path and disposes it; the width is in head units.</summary>
    public void Stroke(SKPath path, SKColor color, float width)
    {
        using (path)
        {
            paint.Style = SKPaintStyle.Stroke;
            paint.StrokeWidth = Math.Max(width * view.Scale, 0.4f);
            paint.Color = color;
            canvas.DrawPath(path, paint);
        }
    }

    /// <summary>A soft spot that fades to its edge; radii in head units.</summary>
    public void Spot(HeadPoint center, float radiusX, float radiusY, SKColor color, float alpha)
    {
        SKPoint c = view.Project(center);
        float rx = radiusX * view.Scale, ry = radiusY * view.Scale;
        using SKShader shader = SKShader.CreateRadialGradient(
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
        paint.Style = SKPaintStyle.Fill;
        paint.Color = SKColors.Black;
        paint.Shader = shader;
        draw();
        paint.Shader = null;
    }

    private SKPoint[] ToPixels(ReadOnlySpan<HeadPoint> points)
    {
        SKPoint[] pixels = new SKPoint[points.Length];
        for (int i = 0; i < pixels.Length; i++)
        {
            pixels[i] = view.Project(points[i]);
        }

        return pixels;
    }
}
