using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>psi(c) = cos(m1 * theta + m2) - m3, all three at once; m1 = 1 and m3 = 0 is ArcFace.</summary>
public sealed class AngularMargin : Margin
{
    private readonly double m1;
    private readonly double m2;
    private readonly double m3;
    private readonly MarginWrap wrap;

    /// <summary>A margin on the angle.</summary>
    /// <param name="m1">Factor on the angle.</param>
    /// <param name="m2">Added to it, radians.</param>
    /// <param name="m3">Subtracted from the cosine.</param>
    /// <param name="wrap">What happens where m1 * theta + m2 passes pi.</param>
    /// <param name="gradient">How the gradient passes.</param>
    public AngularMargin(double m1, double m2, double m3, MarginWrap wrap, MarginGradient gradient)
        : base(nameof(AngularMargin), gradient)
    {
        this.m1 = m1;
        this.m2 = m2;
        this.m3 = m3;
        this.wrap = wrap;
    }

    /// <summary>
    /// cos(theta + m) with a margin that may differ from sample to sample and carry a gradient of its own.
    /// </summary>
    /// <param name="input">The batch.</param>
    /// <param name="margin">[B], radians.</param>
    /// <param name="wrap">What happens where theta + m passes pi.</param>
    internal static Tensor Add(MarginInput input, Tensor margin, MarginWrap wrap)
    {
        Tensor cosine = input.TargetCosine;
        Tensor angle = input.TargetAngle + margin;
        return wrap switch
        {
            MarginWrap.Plain => angle.cos(),
            MarginWrap.Easy => where(cosine > 0, angle.cos(), cosine),
            _ => where(angle < Math.PI, angle.cos(), cosine - margin * margin.sin()),
        };
    }

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Tensor cosine = input.TargetCosine;
        Tensor angle = input.TargetAngle * m1 + m2;
        switch (wrap)
        {
            case MarginWrap.Plain:
                return angle.cos() - m3;
            case MarginWrap.Easy:
                return where(cosine > 0, angle.cos() - m3, cosine);
            default:
                // The angle that the margin adds where it reaches pi; m2 where m1 is 1.
                double added = Math.PI - (Math.PI - m2) / m1;
                return where(angle < Math.PI, angle.cos(), cosine - added * Math.Sin(added)) - m3;
        }
    }
}
