namespace UniFace.Training.Losses;

/// <summary>How MV-Softmax raises a class that is nearer than the target.</summary>
public enum MvSoftmaxMode
{
    /// <summary>To (t + 1) * c + t: harder classes more.</summary>
    Adaptive,

    /// <summary>To c + t.</summary>
    Fixed,
}

/// <summary>MV-Softmax: raises the logits of classes nearer than the target with its margin (Wang et al., AAAI 2020).</summary>
public abstract class MvSoftmax : ScaledSoftmaxLoss
{
    /// <summary>The loss with the defaults of the paper's code.</summary>
    private protected MvSoftmax() => Scale = 32;

    /// <summary>t, how much a nearer class is raised; 0 to 10.</summary>
    [Hyperparameter("t, how much a nearer class is raised.", 0, 10, Typical = "0.1 to 0.3")]
    public double T { get; init; } = 0.2;

    /// <summary>How a nearer class is raised.</summary>
    [Hyperparameter("How it is raised: adaptive to (t + 1) * c + t, fixed to c + t.")]
    public MvSoftmaxMode Mode { get; init; } = MvSoftmaxMode.Adaptive;

    /// <summary>What happens where the angle plus the margin exceeds pi; in the paper's code easy, for the cosine margin too.</summary>
    [Wrap]
    public MarginWrap Wrap { get; init; } = MarginWrap.Easy;
}

/// <summary>MV-Arc-Softmax (Wang et al., AAAI 2020).</summary>
[Loss("mv-arc", "ArcFace that raises the logits of classes nearer than the target with its margin.", "Wang et al., MV-Softmax, AAAI 2020")]
public sealed class MvArcSoftmax : MvSoftmax
{
    /// <summary>m, added to the target angle, 0 to 1.5 radians.</summary>
    [MarginOnAngle]
    public double Margin { get; init; } = 0.5;

    /// <summary>How the gradient passes through the margin.</summary>
    [Gradient]
    public MarginGradient Gradient { get; init; } = MarginGradient.Chain;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new MvArcMargin(this);
}

/// <summary>MV-AM-Softmax (Wang et al., AAAI 2020).</summary>
[Loss("mv-am", "CosFace that raises the logits of classes nearer than the target with its margin.", "Wang et al., MV-Softmax, AAAI 2020")]
public sealed class MvAmSoftmax : MvSoftmax
{
    /// <summary>m, subtracted from the target cosine, 0 to 1.5.</summary>
    [MarginOnCosine]
    public double Margin { get; init; } = 0.35;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new MvAmMargin(this);
}

/// <summary>Raises the cosines of classes nearer than the target, c_j &gt; psi(c_y), to (t + 1) * c_j + t or to c_j + t.</summary>
internal abstract class MvSoftmaxMargin(MvSoftmax loss, MarginGradient gradient) : Margin(nameof(MvSoftmaxMargin), gradient)
{
    public sealed override bool ChangesNonTarget => true;

    public sealed override Tensor NonTarget(Tensor cosines, MarginInput input)
    {
        Tensor raised = loss.Mode == MvSoftmaxMode.Adaptive ? cosines * (loss.T + 1) + loss.T : cosines + loss.T;
        return where(cosines.detach() > Bound(input).unsqueeze(1), raised, cosines);
    }

    /// <summary>The cosine above which a class is nearer than the target: psi without wrap and gradient, [B].</summary>
    protected abstract Tensor Bound(MarginInput input);
}

/// <summary>MV-Softmax with the margin of ArcFace.</summary>
internal sealed class MvArcMargin(MvArcSoftmax loss) : MvSoftmaxMargin(loss, loss.Gradient)
{
    protected override Tensor Bound(MarginInput input) => (input.DetachedAngle + loss.Margin).cos();

    protected override Tensor Psi(MarginInput input) =>
        AngularMargin.AddToAngle(input, full_like(input.TargetCosine.detach(), loss.Margin), loss.Wrap);
}

/// <summary>MV-Softmax with the margin of CosFace.</summary>
internal sealed class MvAmMargin(MvAmSoftmax loss) : MvSoftmaxMargin(loss, MarginGradient.Chain)
{
    protected override Tensor Bound(MarginInput input) => input.TargetCosine.detach() - loss.Margin;

    protected override Tensor Psi(MarginInput input)
    {
        Tensor cosine = input.TargetCosine;
        return loss.Wrap == MarginWrap.Easy ? where(cosine > 0, cosine - loss.Margin, cosine) : cosine - loss.Margin;
    }
}
