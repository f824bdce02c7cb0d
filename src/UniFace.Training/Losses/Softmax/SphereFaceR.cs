namespace UniFace.Training.Losses;

/// <summary>SphereFace-R: three variants of a factor on the angle (Liu et al., TPAMI 2022).</summary>
[Loss(
    "sphereface-r",
    "A factor on the angle with a fixed scale: of the target, folded (v0) or clamped (v1) beyond pi, or as a divisor of the others' angles (v2).",
    "Liu et al., SphereFace Revived, TPAMI 2022")]
public sealed class SphereFaceR : Loss
{
    /// <summary>m, factor on the target angle, or divisor of the others'; 1 to 10.</summary>
    [Hyperparameter("m, factor on the target angle, or divisor of the others'.", 1, 10, Usual = "1.4 to 1.7", Hardens = true)]
    public double Margin { get; init; } = 1.5;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale(Usual = "30 to 64")]
    public double Scale { get; init; } = 30;

    /// <summary>The role of m.</summary>
    [Hyperparameter("Role of m: v0 folds the target angle beyond pi, v1 clamps it there, v2 divides the others' angles.")]
    public SphereFaceVariant Variant { get; init; } = SphereFaceVariant.V0;

    /// <summary>lw of hard feature normalization: multiplies the loss by lw / s; 0: unchanged; up to 10,000.</summary>
    [Hyperparameter("lw of hard feature normalization: multiplies the loss by lw / s; 0: unchanged.", 0, 10_000, Usual = "50")]
    public double LossWeight { get; init; }

    /// <summary>How the gradient passes through the margin.</summary>
    [Gradient]
    public MarginGradient Gradient { get; init; } = MarginGradient.StraightThrough;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => Variant switch
    {
        SphereFaceVariant.V0 => new SphereMargin(Margin, Gradient),
        SphereFaceVariant.V1 => new ClampedSphereMargin(Margin, Gradient),
        _ => new NegativeSphereMargin(Margin, Gradient),
    };

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) =>
        new SoftmaxObjective(Scale, LossWeight == 0 ? 1 : LossWeight / Scale);
}

/// <summary>The three variants of SphereFace-R.</summary>
public enum SphereFaceVariant
{
    /// <summary>Folds the target angle beyond pi.</summary>
    V0,

    /// <summary>Clamps the target angle at pi.</summary>
    V1,

    /// <summary>Divides the other classes' angles.</summary>
    V2,
}
