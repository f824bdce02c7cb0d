namespace UniFace.Training.Head.Margins;

/// <summary>How the gradient passes through a margin.</summary>
public enum MarginGradient
{
    /// <summary>The chain rule: dpsi/dc.</summary>
    Chain,

    /// <summary>
    /// The margin is a constant offset: dpsi/dc is taken as 1. InsightFace's ArcFace since 2022 and the "characteristic gradient
    /// detachment" of SphereFace-R.
    /// </summary>
    StraightThrough,
}

/// <summary>What an angular margin does where theta + m exceeds pi and cos(theta + m) would rise again.</summary>
public enum MarginWrap
{
    /// <summary>Continues with c - m * sin(m), which keeps falling. ArcFace as first published.</summary>
    Guard,

    /// <summary>Nothing: cos(theta + m) rises again. InsightFace today.</summary>
    Plain,

    /// <summary>Applies the margin only where c is above 0.</summary>
    Easy,
}

/// <summary>The batch as a margin sees it.</summary>
/// <param name="TargetCosine">[B]: cosine of each sample with its own class center; its inner product in a head that compares by inner products.</param>
/// <param name="TargetSine">[B]: sine of the same angle, without a gradient; exact where the cosine is near 1 or -1.</param>
/// <param name="Norm">[B]: length of each embedding.</param>
public sealed record MarginInput(Tensor TargetCosine, Tensor TargetSine, Tensor Norm)
{
    /// <summary>The target angles, [B], with the gradient of the cosines.</summary>
    public Tensor TargetAngle => Angles.FromCosine(TargetCosine, TargetSine);

    /// <summary>The target angles, [B], without a gradient.</summary>
    public Tensor DetachedAngle => Angles.FromCosine(TargetCosine.detach(), TargetSine);
}

/// <summary>
/// The second axis of a loss: what happens to the cosines before the objective. The target cosine c becomes psi(c), that of another
/// class phi(c). A margin depends on the batch only through <see cref="MarginInput"/>, so non-target cosines can come in tiles.
/// </summary>
public abstract class Margin : nn.Module
{
    /// <summary>Creates a margin.</summary>
    /// <param name="name">The name of the module.</param>
    /// <param name="gradient">How the gradient passes through the margin.</param>
    /// <param name="state">Buffers that are kept between batches, with their initial values.</param>
    protected Margin(string name, MarginGradient gradient = MarginGradient.Chain, params ReadOnlySpan<(string Name, Tensor Initial)> state)
        : base(name)
    {
        Gradient = gradient;
        foreach ((string buffer, Tensor initial) in state)
        {
            register_buffer(buffer, OwnedTensors.Buffer(initial));
        }
    }

    /// <summary>How the gradient passes through the margin.</summary>
    public MarginGradient Gradient { get; }

    /// <summary>True if <see cref="NonTarget"/> changes its argument.</summary>
    public virtual bool ChangesNonTarget => false;

    /// <summary>
    /// False if <see cref="Update"/> and <see cref="NonTarget"/> do not use the targets of the batch, so that with sharded centers a process need
    /// not know those of another.
    /// </summary>
    internal virtual bool UsesBatchTargets => true;

    /// <summary>Updates state that is kept between batches; called once per batch, before the other methods, without a gradient.</summary>
    public virtual void Update(MarginInput input)
    {
    }

    /// <summary>psi: the target cosines with the margin, [B].</summary>
    public Tensor Target(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return WithGradient(input.TargetCosine, Psi(input));
    }

    /// <summary>phi: the cosines of other classes, [B, T] to [B, T], differentiable in them alone. Target cells are ignored.</summary>
    public virtual Tensor NonTarget(Tensor cosines, MarginInput input) => cosines;

    /// <summary>A term that the margin adds to the loss of each sample, [B], or null.</summary>
    public virtual Tensor? Regularizer(MarginInput input) => null;

    /// <summary>The formula of psi, [B], differentiable.</summary>
    protected abstract Tensor Psi(MarginInput input);

    /// <summary>A value with the gradient that <see cref="Gradient"/> selects.</summary>
    protected Tensor WithGradient(Tensor cosine, Tensor value)
    {
        ArgumentNullException.ThrowIfNull(cosine);
        return Gradient == MarginGradient.Chain ? value : cosine + (value - cosine).detach();
    }
}
