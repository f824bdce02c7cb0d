namespace UniFace.Training.Head.Margins;

/// <summary>Angles of cosines, with finite gradients everywhere.</summary>
internal static class Angles
{
    /// <summary>
    /// The angle of a cosine, in [0, pi]. Its gradient is -1 / sine, with the sine bounded below by the smallest value that the type
    /// can distinguish from 0: at cosine 1 and -1 the exact gradient is infinite, and is multiplied by a tangent of length 0.
    /// </summary>
    /// <param name="cosine">Any shape.</param>
    /// <param name="sine">The sine of the same angle if it is known more exactly than from the cosine, or null.</param>
    public static Tensor FromCosine(Tensor cosine, Tensor? sine = null)
    {
        Tensor value;
        Tensor slope;
        using (no_grad())
        {
            Tensor x = cosine.clamp(-1, 1);
            double smallest = Math.Sqrt(cosine.dtype == ScalarType.Float64 ? Math.BitIncrement(1.0) - 1 : MathF.BitIncrement(1f) - 1);
            Tensor y = sine ?? ((1 - x) * (1 + x)).sqrt();
            value = y.atan2(x);
            slope = y.clamp_min(smallest).reciprocal().neg();
        }

        // Adds zero with the derivative that the angle has.
        return (cosine - cosine.detach()) * slope + value;
    }
}
