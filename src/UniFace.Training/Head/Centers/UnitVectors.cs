namespace UniFace.Training.Head.Centers;

/// <summary>Norms, unit vectors and sines with finite gradients everywhere.</summary>
internal static class UnitVectors
{
    /// <summary>A shorter vector has no direction.</summary>
    public const double MinNorm = 1e-12;

    /// <summary>Euclidean norms of rows: [N, D] to [N, 1]. At length 0 the gradient is 0.</summary>
    public static Tensor Norm(Tensor rows)
    {
        Tensor squares = rows.square().sum(1, keepdim: true); // [N, 1]
        Tensor hasDirection = squares > MinNorm * MinNorm;
        return where(hasDirection, squares, ones_like(squares)).sqrt() * hasDirection.to(rows.dtype);
    }

    /// <summary>Rows on the unit sphere, [N, D]; a row without a direction is unchanged.</summary>
    public static Tensor Normalize(Tensor rows)
    {
        Tensor norm = Norm(rows); // [N, 1]
        return rows / where(norm > 0, norm, ones_like(norm));
    }

    /// <summary>
    /// The sine of the angle between rows, [N, D] and [N, D] to [N], without a gradient. It is computed from the sum and the difference
    /// of the unit vectors, which is exact near 0 and pi, where sqrt(1 - cosine^2) cancels.
    /// </summary>
    public static Tensor Sine(Tensor rows, Tensor others)
    {
        using (no_grad())
        {
            Tensor a = Normalize(rows);
            Tensor b = Normalize(others);
            Tensor difference = Norm(a - b); // [N, 1]
            Tensor sum = Norm(a + b); // [N, 1]
            Tensor squares = difference.square() + sum.square(); // 4, or less without a direction
            return where(squares > 0, 2 * difference * sum / squares, ones_like(squares)).squeeze(1);
        }
    }
}
