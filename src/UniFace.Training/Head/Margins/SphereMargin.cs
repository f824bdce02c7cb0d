namespace UniFace.Training.Head.Margins;

/// <summary>
/// SphereFace's psi: (-1)^k cos(m * theta) - 2k with k = floor(m * theta / pi), which falls from 1 at 0 to 1 - 2m at pi.
/// m need not be an integer.
/// </summary>
/// <param name="m">Factor on the angle, at least 1; 1 is no margin.</param>
/// <param name="gradient">How the gradient passes through the margin.</param>
internal sealed class SphereMargin(double m, MarginGradient gradient) : Margin(nameof(SphereMargin), gradient)
{
    /// <summary>psi of an angle that is already multiplied by m.</summary>
    public static Tensor Fold(Tensor angle)
    {
        Tensor k = (angle.detach() / Math.PI).floor();
        return (1 - 2 * k.remainder(2)) * angle.cos() - 2 * k;
    }

    internal override bool UsesBatchTargets => false;

    protected override Tensor Psi(MarginInput input) => Fold(input.TargetAngle * m);
}
