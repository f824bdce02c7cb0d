namespace UniFace.Training.Head.Margins;

/// <summary>
/// MV-Softmax: the target has the margin of ArcFace or CosFace, and the cosines of classes nearer than it, c_j &gt; psi(c_y), are raised:
/// adaptively, (t + 1) * c_j + t, or by a constant, c_j + t.
/// </summary>
/// <param name="angular">True: MV-Arc; false: MV-AM.</param>
/// <param name="margin">m, in radians for MV-Arc.</param>
/// <param name="t">How much a misclassified class is raised.</param>
/// <param name="adaptive">Raises harder classes more.</param>
/// <param name="wrap">What happens where theta + m exceeds pi; easy in the paper's code, for MV-AM too.</param>
/// <param name="gradient">How the gradient passes through the margin.</param>
internal sealed class MvSoftmaxMargin(bool angular, double margin, double t, bool adaptive, MarginWrap wrap, MarginGradient gradient)
    : Margin(nameof(MvSoftmaxMargin), gradient)
{
    public override bool ChangesNonTarget => true;

    public override Tensor NonTarget(Tensor cosines, MarginInput input)
    {
        Tensor bound = angular ? (input.DetachedAngle + margin).cos() : input.TargetCosine.detach() - margin; // [B], without wrap
        return where(cosines.detach() > bound.unsqueeze(1), adaptive ? cosines * (t + 1) + t : cosines + t, cosines);
    }

    protected override Tensor Psi(MarginInput input)
    {
        Tensor cosine = input.TargetCosine;
        return angular ? AngularMargin.AddToAngle(input, full_like(cosine.detach(), margin), wrap)
            : wrap == MarginWrap.Easy ? where(cosine > 0, cosine - margin, cosine)
            : cosine - margin;
    }
}
