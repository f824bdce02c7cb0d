namespace UniFace.Training.Head.Objectives;

/// <summary>
/// SphereFace2: binary cross-entropy with one bias for all classes, which is added to the logits, and balanced weights,
/// (lw / r) * [alpha * softplus(-(r * psi + b)) + (1 - alpha) * sum over the others of softplus(r * phi + b)].
/// </summary>
/// <param name="classes">C, for the initial bias.</param>
/// <param name="scale">r.</param>
/// <param name="alpha">Weight of the target, in (0, 1).</param>
/// <param name="factor">lw.</param>
/// <param name="margin">m of the margin, for the initial bias.</param>
/// <param name="t">t of the margin, for the initial bias and the threshold.</param>
/// <param name="dtype">float32 or float64.</param>
internal sealed class SphereFace2Objective(int classes, double scale, double alpha, double factor, double margin, double t, ScalarType dtype)
    : BinaryObjective(
        nameof(SphereFace2Objective),
        scale,
        alpha * factor / scale,
        (1 - alpha) * factor / scale,
        biases: 1,
        InitialBias(classes, scale, alpha, margin, t),
        dtype)
{
    public override double Sign => -1;

    /// <summary>The cosine whose rescaled similarity has logit 0, within [-1, 1].</summary>
    public override double? Threshold => 2 * Math.Pow((Math.Clamp(-OwnedTensors.Value(Bias) / Scale, -1, 1) + 1) / 2, 1 / t) - 1;

    /// <summary>The bias that balances both parts for orthogonal vectors (Wen et al., ICLR 2022, appendix).</summary>
    private static double InitialBias(int classes, double r, double alpha, double margin, double t)
    {
        double z = alpha / ((1 - alpha) * (classes - 1));
        double own = r * (2 * Math.Pow(0.5, t) - 1 - margin);
        double other = r * (2 * Math.Pow(0.5, t) - 1 + margin);
        double root = Math.Sqrt((1 - z) * (1 - z) + 4 * z * Math.Exp(own - other));

        // ln(1 - z + root), which cancels for z above 1.
        double log = z <= 1 ? Math.Log(1 - z + root) : Math.Log(4 * z) + own - other - Math.Log(root + z - 1);
        return Math.Log(2 * z) - other - log;
    }
}
