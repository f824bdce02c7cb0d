namespace UniFace.Training.Head.Margins;

/// <summary>SphereFace-R, version 1: psi(c) = cos(min(m * theta, pi)).</summary>
/// <param name="m">Factor on the angle, at least 1.</param>
/// <param name="gradient">How the gradient passes through the margin.</param>
internal sealed class ClampedSphereMargin(double m, MarginGradient gradient) : Margin(nameof(ClampedSphereMargin), gradient)
{
    protected override Tensor Psi(MarginInput input) => (input.TargetAngle * m).clamp_max(Math.PI).cos();
}

/// <summary>SphereFace-R, version 2: phi(c) = cos(theta / m), and the target is unchanged.</summary>
/// <param name="m">Divisor of the angles of the other classes, at least 1.</param>
/// <param name="gradient">How the gradient passes through the margin.</param>
internal sealed class NegativeSphereMargin(double m, MarginGradient gradient) : Margin(nameof(NegativeSphereMargin), gradient)
{
    public override bool ChangesNonTarget => true;

    public override Tensor NonTarget(Tensor cosines, MarginInput input) => WithGradient(cosines, (Angles.FromCosine(cosines) / m).cos());

    protected override Tensor Psi(MarginInput input) => input.TargetCosine;
}
