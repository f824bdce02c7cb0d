namespace UniFace.Faces;

/// <summary>
/// Rotation, uniform scale and shift of the plane, without reflection: (x, y) -> (A x - B y + Tx, B x + A y + Ty).
/// </summary>
/// <param name="A">Scale times the cosine of the angle.</param>
/// <param name="B">Scale times the sine of the angle.</param>
/// <param name="Tx">Shift to the right in pixels.</param>
/// <param name="Ty">Shift down in pixels.</param>
public readonly record struct SimilarityTransform(double A, double B, double Tx, double Ty)
{
    /// <summary>The identity.</summary>
    public static SimilarityTransform Identity { get; } = new(1, 0, 0, 0);

    /// <summary>Factor on lengths; above 0.</summary>
    public double Scale => Math.Sqrt((A * A) + (B * B));

    /// <summary>Angle in radians, (-pi, pi]; positive turns x towards y (clockwise on a screen).</summary>
    public double Angle => Math.Atan2(B, A);

    /// <summary>
    /// The weighted least-squares similarity from <paramref name="from"/> to <paramref name="to"/> (Umeyama, TPAMI 1991; in two dimensions without
    /// reflection it has this closed form).
    /// </summary>
    /// <param name="from">At least two points.</param>
    /// <param name="to">The target of each point.</param>
    /// <param name="weights">A weight of at least 0 for each point, or empty for equal weights.</param>
    /// <exception cref="UniFaceException">The points are not finite, coincide, or have a best scale of 0.</exception>
    public static SimilarityTransform Fit(ReadOnlySpan<Point> from, ReadOnlySpan<Point> to, ReadOnlySpan<double> weights = default)
    {
        if (from.Length != to.Length || (weights.Length != 0 && weights.Length != from.Length))
        {
            throw new ArgumentException($"{from.Length} points, {to.Length} targets, {weights.Length} weights: expected equal numbers.");
        }

        double total = 0, fromX = 0, fromY = 0, toX = 0, toY = 0;
        for (int i = 0; i < from.Length; i++)
        {
            double w = weights.IsEmpty ? 1 : weights[i];
            total += w;
            fromX += w * from[i].X;
            fromY += w * from[i].Y;
            toX += w * to[i].X;
            toY += w * to[i].Y;
        }

        fromX /= total;
        fromY /= total;
        toX /= total;
        toY /= total;
        double dot = 0, cross = 0, spread = 0, reach = 0;
        for (int i = 0; i < from.Length; i++)
        {
            double w = weights.IsEmpty ? 1 : weights[i];
            double x = from[i].X - fromX, y = from[i].Y - fromY, u = to[i].X - toX, v = to[i].Y - toY;
            dot += w * ((x * u) + (y * v));
            cross += w * ((x * v) - (y * u));
            spread += w * ((x * x) + (y * y));
            reach += w * ((u * u) + (v * v));
        }

        // Relative to the points' size, so that points that float32 cannot distinguish count as one.
        double size = total * ((fromX * fromX) + (fromY * fromY) + 1);
        if (!double.IsFinite(dot + cross + spread) || spread <= 1e-12 * size || double.Hypot(dot, cross) <= 1e-9 * Math.Sqrt(spread * reach))
        {
            throw new UniFaceException(
                "no similarity transform fits: the face's points are not finite, coincide, or have no direction in common with the template.");
        }

        double a = dot / spread, b = cross / spread;
        return new SimilarityTransform(a, b, toX - (a * fromX) + (b * fromY), toY - (b * fromX) - (a * fromY));
    }

    /// <summary>The image of a point.</summary>
    public (double X, double Y) Apply(double x, double y) => ((A * x) - (B * y) + Tx, (B * x) + (A * y) + Ty);

    /// <summary>The image of a point.</summary>
    public Point Apply(Point point)
    {
        (double x, double y) = Apply(point.X, point.Y);
        return new Point((float)x, (float)y);
    }

    /// <summary>The inverse transform.</summary>
    public SimilarityTransform Inverse()
    {
        double d = (A * A) + (B * B);
        double a = A / d, b = -B / d;
        return new SimilarityTransform(a, b, -((a * Tx) - (b * Ty)), -((b * Tx) + (a * Ty)));
    }

    /// <summary>The composition: this transform first, then another.</summary>
    public SimilarityTransform Then(SimilarityTransform next)
    {
        (double x, double y) = next.Apply(Tx, Ty);
        return new SimilarityTransform((next.A * A) - (next.B * B), (next.B * A) + (next.A * B), x, y);
    }
}
