namespace UniFace.Training.Head.Margins;

/// <summary>
/// CurricularFace: ArcFace's target. The cosine of a class that is harder than the target, c_j &gt; cos(theta_y + m), becomes
/// c_j * (t + c_j), where t is a running mean of the target cosines: easy images count first, hard ones as training proceeds.
/// </summary>
/// <param name="margin">m, in radians.</param>
/// <param name="momentum">Weight of the new batch in t.</param>
/// <param name="wrap">What happens where theta + m exceeds pi.</param>
/// <param name="gradient">How the gradient passes through the margin.</param>
/// <param name="dtype">float32 or float64.</param>
internal sealed class CurricularFaceMargin(double margin, double momentum, MarginWrap wrap, MarginGradient gradient, ScalarType dtype)
    : Margin(nameof(CurricularFaceMargin), gradient, ("t", zeros([], dtype: dtype)))
{
    public override bool ChangesNonTarget => true;

    public override void Update(MarginInput input) =>
        get_buffer("t")!.mul_(1 - momentum).add_(input.TargetCosine.detach().mean() * momentum);

    public override Tensor NonTarget(Tensor cosines, MarginInput input)
    {
        Tensor hardness = (input.DetachedAngle + margin).cos().unsqueeze(1); // [B, 1], without the guard
        return where(cosines.detach() > hardness, cosines * (cosines + get_buffer("t")!.clone()), cosines);
    }

    protected override Tensor Psi(MarginInput input) =>
        AngularMargin.AddToAngle(input, full_like(input.TargetCosine.detach(), margin), wrap);
}
