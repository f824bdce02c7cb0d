using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>
/// SphereFace's psi: (-1)^k cos(m * theta) - 2k with k = floor(m * theta / pi), which falls from 1 at 0 to 1 - 2m at pi; m need not be whole.
/// </summary>
public sealed class SphereMargin : Margin
{
    private readonly double m;

    /// <summary>A factor on the angle.</summary>
    /// <param name="m">At least 1; 1 is no margin.</param>
    /// <param name="gradient">How the gradient passes.</param>
    public SphereMargin(double m, MarginGradient gradient)
        : base(nameof(SphereMargin), gradient) => this.m = m;

    /// <summary>psi of an angle that is already multiplied.</summary>
    internal static Tensor Fold(Tensor angle)
    {
        Tensor k = (angle.detach() / Math.PI).floor();
        return (1 - 2 * k.remainder(2)) * angle.cos() - 2 * k;
    }

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Fold(input.TargetAngle * m);
    }
}
