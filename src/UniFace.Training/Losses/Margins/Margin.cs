using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>How the gradient passes a margin.</summary>
public enum MarginGradient
{
    /// <summary>The chain rule: dpsi/dc.</summary>
    Chain,

    /// <summary>
    /// The margin is a constant offset: dpsi/dc counts as 1. InsightFace's ArcFace since 2022 and SphereFace-R's
    /// "characteristic gradient detachment".
    /// </summary>
    StraightThrough,
}

/// <summary>What happens to an angular margin where theta + m passes pi, and cos(theta + m) would rise again.</summary>
public enum MarginWrap
{
    /// <summary>Past pi: c - m * sin(m), which goes on falling. ArcFace as first published.</summary>
    Guard,

    /// <summary>Nothing: cos(theta + m) rises again. InsightFace today.</summary>
    Plain,

    /// <summary>The margin only where c is above 0; else c.</summary>
    Easy,
}

/// <summary>What a margin sees of a batch.</summary>
/// <param name="TargetCosine">[B]: cosine of each sample with its own class center.</param>
/// <param name="TargetSine">[B]: sine of the same angle, without a gradient; exact where the cosine is near 1 or -1.</param>
/// <param name="Norm">[B]: length of each embedding.</param>
public sealed record MarginInput(Tensor TargetCosine, Tensor TargetSine, Tensor Norm)
{
    /// <summary>The target angles, [B], with the gradient of the cosines.</summary>
    public Tensor TargetAngle => Directions.Angle(TargetCosine, TargetSine);

    /// <summary>The target angles, [B], without a gradient.</summary>
    public Tensor DetachedAngle => Directions.Angle(TargetCosine.detach(), TargetSine);
}

/// <summary>
/// The second axis of a loss: what happens to the cosines before the objective. A target's cosine c becomes psi(c), another's phi(c).
/// All that a margin needs of a batch is in <see cref="MarginInput"/>, so non-target cosines can come in tiles.
/// </summary>
public abstract class Margin : nn.Module
{
    /// <summary>A margin.</summary>
    protected Margin(string name, MarginGradient gradient = MarginGradient.Chain)
        : base(name) => Gradient = gradient;

    /// <summary>How the gradient passes.</summary>
    public MarginGradient Gradient { get; }

    /// <summary>Updates what the margin keeps from batch to batch; called once a batch, before the others, without a gradient.</summary>
    public virtual void Observe(MarginInput input)
    {
    }

    /// <summary>psi: the target cosines with their margin, [B].</summary>
    public Tensor Target(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Pass(input.TargetCosine, Psi(input));
    }

    /// <summary>True where <see cref="NonTarget"/> is more than its argument.</summary>
    public virtual bool ChangesNonTarget => false;

    /// <summary>
    /// phi: other classes' cosines, [B, T] to [B, T], differentiable in them alone. The column of the target is in them too and is not used.
    /// </summary>
    public virtual Tensor NonTarget(Tensor cosines, MarginInput input) => cosines;

    /// <summary>What the margin adds to each sample's loss, [B], or null.</summary>
    public virtual Tensor? Regulariser(MarginInput input) => null;

    /// <summary>psi by its formula, differentiable.</summary>
    protected abstract Tensor Psi(MarginInput input);

    /// <summary>The values of a margin with the gradient that was chosen.</summary>
    protected Tensor Pass(Tensor cosine, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(cosine);
        return Gradient == MarginGradient.Chain ? value : cosine + (value - cosine).detach();
    }
}
