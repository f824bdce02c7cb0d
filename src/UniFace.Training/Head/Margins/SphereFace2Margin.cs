namespace UniFace.Training.Head.Margins;

/// <summary>
/// SphereFace2-C: rescaled similarities g(c) = 2 * ((c + 1) / 2)^t - 1 with a margin on both sides, psi(c) = g(c) - m, phi(c) = g(c) + m.
/// </summary>
/// <param name="margin">m.</param>
/// <param name="t">Exponent, at least 1; 1 leaves the cosine unchanged.</param>
/// <param name="gradient">How the gradient passes through the margin; straight-through in the paper's code.</param>
internal sealed class SphereFace2Margin(double margin, double t, MarginGradient gradient) : Margin(nameof(SphereFace2Margin), gradient)
{
    public override bool ChangesNonTarget => true;

    public override Tensor NonTarget(Tensor cosines, MarginInput input) => WithGradient(cosines, Rescale(cosines) + margin);

    protected override Tensor Psi(MarginInput input) => Rescale(input.TargetCosine) - margin;

    private Tensor Rescale(Tensor cosine) => ((cosine + 1) / 2).clamp_min(0).pow(t) * 2 - 1;
}
