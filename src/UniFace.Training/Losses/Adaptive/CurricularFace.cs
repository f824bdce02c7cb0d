namespace UniFace.Training.Losses;

/// <summary>CurricularFace: hard negatives count more as training proceeds (Huang et al., CVPR 2020).</summary>
[Loss("curricularface", "ArcFace that weights hard negatives more as training proceeds.", "Huang et al., CurricularFace, CVPR 2020")]
public sealed class CurricularFace : AngularMarginLoss
{
    /// <summary>m, added to the target angle, 0 to 1.5 radians.</summary>
    [MarginOnAngle]
    public double Margin { get; init; } = 0.5;

    /// <summary>Weight of the new batch in t, the running mean of the target cosines; 0 to 1.</summary>
    [Hyperparameter("Weight of the new batch in t, the running mean of the target cosines.", 0, 1, Typical = "0.01")]
    public double TMomentum { get; init; } = 0.01;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new CurricularFaceMargin(this, shape.Dtype);
}

/// <summary>
/// ArcFace's target. The cosine of a class that is harder than the target, c_j &gt; cos(theta_y + m), becomes c_j * (t + c_j), where t is
/// a running mean of the target cosines: easy images count first, hard ones as training proceeds.
/// </summary>
internal sealed class CurricularFaceMargin(CurricularFace loss, ScalarType dtype)
    : Margin(nameof(CurricularFaceMargin), loss.Gradient, ("t", zeros([], dtype: dtype)))
{
    public override bool ChangesNonTarget => true;

    public override void Update(MarginInput input) =>
        get_buffer("t")!.mul_(1 - loss.TMomentum).add_(input.TargetCosine.detach().mean() * loss.TMomentum);

    public override Tensor NonTarget(Tensor cosines, MarginInput input)
    {
        Tensor hardness = (input.DetachedAngle + loss.Margin).cos().unsqueeze(1); // [B, 1], without the guard
        return where(cosines.detach() > hardness, cosines * (cosines + get_buffer("t")!.clone()), cosines);
    }

    protected override Tensor Psi(MarginInput input) =>
        AngularMargin.AddToAngle(input, full_like(input.TargetCosine.detach(), loss.Margin), loss.Wrap);
}
