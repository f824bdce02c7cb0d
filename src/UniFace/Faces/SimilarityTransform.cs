using System.Numerics;

namespace UniFace.Faces;

/// <summary>
/// Rotation, uniform scale and shift of the plane, without reflection: (x, y) -> (A x - B y + Tx, B x + A y + Ty).
/// </summary>
/// <param name="A">Scale times the cosine of the angle.</param>
/// <param name="B">Scale times the sine of the angle.</param>
/// <param name="Tx">Shift to the right in pixels.</param>
/// <param name="Ty">Shift down in pixels.</param>
internal readonly record struct SimilarityTransform(double A, double B, double Tx, double Ty)
{
    /// <summary>The identity.</summary>
    public static SimilarityTransform Identity { get; } = new(1, 0, 0, 0);

    /// <summary>Factor on lengths; above 0.</summary>
    public double Scale => Math.Sqrt((A * A) + (B * B));

    // On complex numbers z = x + i y the transform is Factor z + Shift.
    private Complex Factor => new(A, B);

    private Complex Shift => new(Tx, Ty);

    /// <summary>Scales and turns the plane about a point, and moves that point.</summary>
    /// <param name="scale">Factor on lengths.</param>
    /// <param name="angle">Radians, from the x axis to the y axis.</param>
    /// <param name="from">The point.</param>
    /// <param name="to">Where it goes.</param>
    public static SimilarityTransform About(double scale, double angle, (double X, double Y) from, (double X, double Y) to)
    {
        double a = scale * Math.Cos(angle), b = scale * Math.Sin(angle);
        return new SimilarityTransform(a, b, to.X - ((a * from.X) - (b * from.Y)), to.Y - ((b * from.X) + (a * from.Y)));
    }

    /// <summary>
    /// The least-squares similarity from <paramref name="from"/> to <paramref name="to"/> (Umeyama, TPAMI 1991; in two dimensions without
    /// reflection it has this closed form).
    /// </summary>
    /// <param name="from">At least two points.</param>
    /// <param name="to">The target of each point.</param>
    /// <exception cref="UniFaceException">The points are not finite, coincide, or have a best scale of 0.</exception>
    public static SimilarityTransform Fit(ReadOnlySpan<Point> from, ReadOnlySpan<Point> to)
    {
        if (from.Length != to.Length)
        {
            throw new ArgumentException($"{from.Length} points, {to.Length} targets: expected equal numbers.");
        }

        Complex fromMean = 0, toMean = 0;
        for (int i = 0; i < from.Length; i++)
        {
            fromMean += ToComplex(from[i]);
            toMean += ToComplex(to[i]);
        }

        fromMean /= from.Length;
        toMean /= from.Length;
        Complex product = 0;
        double spread = 0, reach = 0;
        for (int i = 0; i < from.Length; i++)
        {
            Complex x = ToComplex(from[i]) - fromMean, u = ToComplex(to[i]) - toMean;
            product += Complex.Conjugate(x) * u;
            spread += SquaredLength(x);
            reach += SquaredLength(u);
        }

        // Relative to the points' size, so that points that float32 cannot distinguish count as one.
        double size = from.Length * (SquaredLength(fromMean) + 1);
        if (!Complex.IsFinite(product + spread) || spread <= 1e-12 * size || product.Magnitude <= 1e-9 * Math.Sqrt(spread * reach))
        {
            throw new UniFaceException(
                "no similarity transform fits: the face's points are not finite, coincide, or have no direction in common with the template");
        }

        Complex factor = product / spread;
        return Create(factor, toMean - (factor * fromMean));

        static Complex ToComplex(Point point) => new(point.X, point.Y);

        static double SquaredLength(Complex z) => (z.Real * z.Real) + (z.Imaginary * z.Imaginary);
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
        Complex factor = Complex.Conjugate(Factor) / ((A * A) + (B * B));
        return Create(factor, -(factor * Shift));
    }

    /// <summary>The composition: this transform first, then another.</summary>
    public SimilarityTransform Then(SimilarityTransform next) => Create(next.Factor * Factor, (next.Factor * Shift) + next.Shift);

    private static SimilarityTransform Create(Complex factor, Complex shift) => new(factor.Real, factor.Imaginary, shift.Real, shift.Imaginary);
}
