using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>
/// CurricularFace: ArcFace's target, and others harder than it, c_j &gt; cos(theta_y + m), weigh c_j * (t + c_j), where t is a running
/// mean of the target cosines: easy pictures first, hard ones as training goes on.
/// </summary>
public sealed class CurricularFaceMargin : Margin
{
    private readonly double margin;
    private readonly double momentum;
    private readonly MarginWrap wrap;

    /// <summary>CurricularFace's margin.</summary>
    /// <param name="margin">m, radians.</param>
    /// <param name="momentum">Share of the new batch in t.</param>
    /// <param name="wrap">What happens where theta + m passes pi.</param>
    /// <param name="gradient">How the gradient passes.</param>
    /// <param name="dtype">float32 or float64.</param>
    public CurricularFaceMargin(double margin, double momentum, MarginWrap wrap, MarginGradient gradient, ScalarType dtype)
        : base(nameof(CurricularFaceMargin), gradient)
    {
        this.margin = margin;
        this.momentum = momentum;
        this.wrap = wrap;
        register_buffer("t", OwnedTensors.Buffer(zeros([], dtype: dtype)));
    }

    /// <inheritdoc/>
    public override void Observe(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        get_buffer("t")!.mul_(1 - momentum).add_(input.TargetCosine.detach().mean() * momentum);
    }

    /// <inheritdoc/>
    public override bool ChangesNonTarget => true;

    /// <inheritdoc/>
    public override Tensor NonTarget(Tensor cosines, MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(cosines);
        ArgumentNullException.ThrowIfNull(input);
        Tensor hardness = (input.DetachedAngle + margin).cos().unsqueeze(1); // [B, 1], without the guard
        return where(cosines.detach() > hardness, cosines * (cosines + get_buffer("t")!.clone()), cosines);
    }

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return AngularMargin.Add(input, full_like(input.TargetCosine.detach(), margin), wrap);
    }
}
