namespace UniFace.Training.Losses;

/// <summary>SphereFace2: binary classification with a shared bias (Wen et al., ICLR 2022).</summary>
[Loss(
    "sphereface2",
    "Binary cross-entropy with one shared bias, rescaled similarities, margins on both sides and balancing weights.",
    "Wen et al., SphereFace2, ICLR 2022")]
public sealed class SphereFace2 : Loss
{
    /// <summary>m, subtracted from the target's and added to the others' similarity; 0 to 1.5.</summary>
    [Hyperparameter("m, subtracted from the target's and added to the others' similarity.", 0, 1.5, Typical = "0.3 to 0.5", LowerIfDiverging = true)]
    public double Margin { get; init; } = 0.4;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 40;

    /// <summary>Weight of the target; the others have 1 - alpha. 0.001 to 0.999.</summary>
    [Hyperparameter("Weight of the target; the others have 1 - alpha.", 0.001, 0.999, Typical = "0.7 to 0.8")]
    public double Alpha { get; init; } = 0.7;

    /// <summary>t, exponent that rescales similarities, 1 to 20; 1 leaves them unchanged.</summary>
    [Hyperparameter("t, exponent that rescales similarities; 1 leaves them unchanged.", 1, 20)]
    public double T { get; init; } = 3;

    /// <summary>lw, factor on the loss, 0.001 to 10,000.</summary>
    [Hyperparameter("lw, factor on the loss.", 0.001, 10_000, Typical = "50")]
    public double LossWeight { get; init; } = 50;

    /// <summary>How the gradient passes through the margin.</summary>
    [Gradient]
    public MarginGradient Gradient { get; init; } = MarginGradient.StraightThrough;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new SphereFace2Margin(this);

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) => new SphereFace2Objective(this, shape);
}

/// <summary>SphereFace2-C: rescaled similarities g(c) = 2 * ((c + 1) / 2)^t - 1, psi(c) = g(c) - m, phi(c) = g(c) + m.</summary>
internal sealed class SphereFace2Margin(SphereFace2 loss) : Margin(nameof(SphereFace2Margin), loss.Gradient)
{
    public override bool ChangesNonTarget => true;

    internal override bool UsesBatchTargets => false;

    public override Tensor NonTarget(Tensor cosines, MarginInput input) => WithGradient(cosines, Rescale(cosines) + loss.Margin);

    protected override Tensor Psi(MarginInput input) => Rescale(input.TargetCosine) - loss.Margin;

    private Tensor Rescale(Tensor cosine) => ((cosine + 1) / 2).clamp_min(0).pow(loss.T) * 2 - 1;
}

/// <summary>
/// Binary cross-entropy with one bias for all classes, which is added to the logits, and balanced weights:
/// (lw / r) * [alpha * softplus(-(r * psi + b)) + (1 - alpha) * sum over the others of softplus(r * phi + b)].
/// </summary>
internal sealed class SphereFace2Objective(SphereFace2 loss, HeadShape shape)
    : BinaryObjective(
        nameof(SphereFace2Objective),
        loss.Scale,
        loss.Alpha * loss.LossWeight / loss.Scale,
        (1 - loss.Alpha) * loss.LossWeight / loss.Scale,
        biases: 1,
        InitialBias(shape.Classes, loss),
        shape.Dtype)
{
    public override double Sign => -1;

    /// <summary>The cosine whose rescaled similarity has logit 0, within [-1, 1].</summary>
    public override double? Threshold => 2 * Math.Pow((Math.Clamp(-OwnedTensors.Value(Bias) / Scale, -1, 1) + 1) / 2, 1 / loss.T) - 1;

    /// <summary>The bias that balances both parts for orthogonal vectors (Wen et al., ICLR 2022, appendix).</summary>
    private static double InitialBias(int classes, SphereFace2 loss)
    {
        double z = loss.Alpha / ((1 - loss.Alpha) * (classes - 1));
        double own = loss.Scale * (2 * Math.Pow(0.5, loss.T) - 1 - loss.Margin);
        double other = loss.Scale * (2 * Math.Pow(0.5, loss.T) - 1 + loss.Margin);
        double root = Math.Sqrt((1 - z) * (1 - z) + 4 * z * Math.Exp(own - other));

        // ln(1 - z + root), which cancels for z above 1.
        double log = z <= 1 ? Math.Log(1 - z + root) : Math.Log(4 * z) + own - other - Math.Log(root + z - 1);
        return Math.Log(2 * z) - other - log;
    }
}
