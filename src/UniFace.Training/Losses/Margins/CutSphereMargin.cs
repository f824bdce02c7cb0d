using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>SphereFace-R, version 1: psi(c) = cos(min(m * theta, pi)), flat where the multiplied angle passes pi.</summary>
public sealed class CutSphereMargin : Margin
{
    private readonly double m;

    /// <summary>A factor on the angle, at least 1.</summary>
    public CutSphereMargin(double m, MarginGradient gradient)
        : base(nameof(CutSphereMargin), gradient) => this.m = m;

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return (input.TargetAngle * m).clamp_max(Math.PI).cos();
    }
}

/// <summary>SphereFace-R, version 2: the others come nearer instead, phi(c) = cos(theta / m), and the target stays as it is.</summary>
public sealed class NegativeSphereMargin : Margin
{
    private readonly double m;

    /// <summary>A divisor of the other classes' angles, at least 1.</summary>
    public NegativeSphereMargin(double m, MarginGradient gradient)
        : base(nameof(NegativeSphereMargin), gradient) => this.m = m;

    /// <inheritdoc/>
    public override bool ChangesNonTarget => true;

    /// <inheritdoc/>
    public override Tensor NonTarget(Tensor cosines, MarginInput input) => Pass(cosines, (Directions.Angle(cosines) / m).cos());

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.TargetCosine;
    }
}
