using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>Norms, directions and angles whose values are exact and whose gradients are finite everywhere.</summary>
internal static class Directions
{
    /// <summary>Shorter than this, a vector has no direction.</summary>
    public const double ShortestNorm = 1e-12;

    /// <summary>
    /// Euclidean norms of rows: [N, D] to [N, 1]. At length 0 the gradient is 0.
    /// </summary>
    public static Tensor Norm(Tensor rows)
    {
        Tensor squares = rows.square().sum(1, keepdim: true); // [N, 1]
        Tensor directed = squares > ShortestNorm * ShortestNorm;
        return where(directed, squares, ones_like(squares)).sqrt() * directed.to(rows.dtype);
    }

    /// <summary>Rows on the unit sphere, [N, D]; a row without a direction stays as it is.</summary>
    public static Tensor Unit(Tensor rows)
    {
        Tensor norm = Norm(rows); // [N, 1]
        return rows / where(norm > 0, norm, ones_like(norm));
    }

    /// <summary>
    /// The sine of the angle between rows, [N, D] and [N, D] to [N], without a gradient. Of the sum and the difference of the
    /// directions, it is exact near 0 and pi, where sqrt(1 - cosine^2) has lost its digits.
    /// </summary>
    public static Tensor Sine(Tensor rows, Tensor others)
    {
        using (no_grad())
        {
            Tensor a = Unit(rows);
            Tensor b = Unit(others);
            Tensor apart = Norm(a - b); // [N, 1]
            Tensor together = Norm(a + b); // [N, 1]
            Tensor squares = apart.square() + together.square(); // 4, or less without a direction
            return where(squares > 0, 2 * apart * together / squares, ones_like(squares)).squeeze(1);
        }
    }

    /// <summary>
    /// The angle of a cosine, in [0, pi]. The gradient is -1 / sin, where the sine counts as no less than the smallest that the type
    /// can tell from 0: at cosine +-1 the true gradient is infinite, and multiplied by a tangent of length 0.
    /// </summary>
    /// <param name="cosine">Any form.</param>
    /// <param name="sine">The sine of the same angle where it is known better than the cosine tells, or null.</param>
    public static Tensor Angle(Tensor cosine, Tensor? sine = null)
    {
        Tensor value;
        Tensor slope;
        using (no_grad())
        {
            Tensor inside = cosine.clamp(-1, 1);
            double smallest = Math.Sqrt(cosine.dtype == ScalarType.Float64 ? Math.BitIncrement(1.0) - 1 : MathF.BitIncrement(1f) - 1);
            Tensor height = sine ?? ((1 - inside) * (1 + inside)).sqrt();
            value = height.atan2(inside);
            slope = height.clamp_min(smallest).reciprocal().neg();
        }

        // Zero plus the value: its derivative is the slope.
        return (cosine - cosine.detach()) * slope + value;
    }
}
