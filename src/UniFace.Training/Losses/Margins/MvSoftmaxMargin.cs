using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>
/// MV-Softmax: a margin on the target (ArcFace's or CosFace's), and others that are nearer than it, c_j &gt; g(c_y), are raised:
/// adaptive, (t + 1) * c_j + t; fixed, c_j + t.
/// </summary>
public sealed class MvSoftmaxMargin : Margin
{
    private readonly bool angular;
    private readonly double margin;
    private readonly double t;
    private readonly bool adaptive;
    private readonly MarginWrap wrap;

    /// <summary>MV-Softmax's margin.</summary>
    /// <param name="angular">True: MV-Arc; false: MV-AM.</param>
    /// <param name="margin">m, radians for MV-Arc.</param>
    /// <param name="t">How much a misclassified class is raised.</param>
    /// <param name="adaptive">The harder, the more; else the same for all.</param>
    /// <param name="wrap">What happens where theta + m passes pi; easy in the paper's code, for MV-AM too.</param>
    /// <param name="gradient">How the gradient passes.</param>
    public MvSoftmaxMargin(bool angular, double margin, double t, bool adaptive, MarginWrap wrap, MarginGradient gradient)
        : base(nameof(MvSoftmaxMargin), gradient)
    {
        this.angular = angular;
        this.margin = margin;
        this.t = t;
        this.adaptive = adaptive;
        this.wrap = wrap;
    }

    /// <inheritdoc/>
    public override bool ChangesNonTarget => true;

    /// <inheritdoc/>
    public override Tensor NonTarget(Tensor cosines, MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(cosines);
        ArgumentNullException.ThrowIfNull(input);
        Tensor target = input.TargetCosine.detach();
        Tensor bar = (angular ? (input.DetachedAngle + margin).cos() : target - margin).unsqueeze(1); // [B, 1], without wrap
        return where(cosines.detach() > bar, adaptive ? cosines * (t + 1) + t : cosines + t, cosines);
    }

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Tensor cosine = input.TargetCosine;
        if (angular)
        {
            return AngularMargin.Add(input, full_like(cosine.detach(), margin), wrap);
        }

        return wrap == MarginWrap.Easy ? where(cosine > 0, cosine - margin, cosine) : cosine - margin;
    }
}
