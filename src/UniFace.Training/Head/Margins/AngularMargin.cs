namespace UniFace.Training.Head.Margins;

/// <summary>psi(c) = cos(m1 * theta + m2) - m3; with m1 = 1 and m3 = 0 this is ArcFace.</summary>
/// <param name="m1">Factor on the angle.</param>
/// <param name="m2">Added to the angle, in radians.</param>
/// <param name="m3">Subtracted from the cosine.</param>
/// <param name="wrap">What happens where m1 * theta + m2 exceeds pi.</param>
/// <param name="gradient">How the gradient passes through the margin.</param>
internal sealed class AngularMargin(double m1, double m2, double m3, MarginWrap wrap, MarginGradient gradient)
    : Margin(nameof(AngularMargin), gradient)
{
    /// <summary>cos(theta + m), with a margin that may differ between samples and carry a gradient.</summary>
    /// <param name="input">The batch.</param>
    /// <param name="margin">[B], in radians.</param>
    /// <param name="wrap">What happens where theta + m exceeds pi.</param>
    public static Tensor AddToAngle(MarginInput input, Tensor margin, MarginWrap wrap) =>
        Wrapped(input.TargetCosine, input.TargetAngle + margin, wrap, 0, () => margin * margin.sin());

    internal override bool UsesBatchTargets => false;

    protected override Tensor Psi(MarginInput input)
    {
        double added = Math.PI - (Math.PI - m2) / m1; // What the margin adds to the angle at which m1 * theta + m2 = pi.
        return Wrapped(input.TargetCosine, input.TargetAngle * m1 + m2, wrap, m3, () => added * Math.Sin(added));
    }

    /// <summary>cos(angle) - m3, and what <paramref name="wrap"/> makes of angles beyond pi.</summary>
    private static Tensor Wrapped(Tensor cosine, Tensor angle, MarginWrap wrap, double m3, Func<Tensor> beyond) => wrap switch
    {
        MarginWrap.Plain => angle.cos() - m3,
        MarginWrap.Easy => where(cosine > 0, angle.cos() - m3, cosine),
        _ => where(angle < Math.PI, angle.cos(), cosine - beyond()) - m3,
    };
}
