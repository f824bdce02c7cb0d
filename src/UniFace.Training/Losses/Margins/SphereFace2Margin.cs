using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>
/// SphereFace2-C: similarities stretched, g(c) = 2 * ((c + 1) / 2)^t - 1, and a margin on both sides, psi(c) = g(c) - m, phi(c) = g(c) + m.
/// </summary>
public sealed class SphereFace2Margin : Margin
{
    private readonly double margin;
    private readonly double t;

    /// <summary>SphereFace2's similarity and margin.</summary>
    /// <param name="margin">m.</param>
    /// <param name="t">Power, at least 1; 1 leaves the cosine as it is.</param>
    /// <param name="gradient">How the gradient passes; straight-through in the paper's code.</param>
    public SphereFace2Margin(double margin, double t, MarginGradient gradient)
        : base(nameof(SphereFace2Margin), gradient)
    {
        this.margin = margin;
        this.t = t;
    }

    /// <inheritdoc/>
    public override bool ChangesNonTarget => true;

    /// <inheritdoc/>
    public override Tensor NonTarget(Tensor cosines, MarginInput input) => Pass(cosines, ParameterSlice(cosines) + margin);

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return ParameterSlice(input.TargetCosine) - margin;
    }

    private Tensor ParameterSlice(Tensor cosine) => ((cosine + 1) / 2).clamp_min(0).pow(t) * 2 - 1;
}
