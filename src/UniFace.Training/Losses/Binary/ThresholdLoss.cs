namespace UniFace.Training.Losses;

/// <summary>The margin of the positives.</summary>
public enum PositiveMarginType
{
    /// <summary>Subtracted from the cosine.</summary>
    Cos,

    /// <summary>Added to the angle.</summary>
    Arc,

    /// <summary>SphereFace's factor on the angle.</summary>
    Sphere,

    /// <summary>All three: cos(m1 * theta + m2) - m3.</summary>
    Combined,
}

/// <summary>Losses that compare every similarity with a learnable threshold; they differ in the number of thresholds.</summary>
public abstract class ThresholdLoss : Loss
{
    private const double DefaultCos = 0.4;
    private const double DefaultArc = 0.5;
    private const double DefaultSphere = 1.5;
    private const double DefaultM1 = 1;
    private const double DefaultM2 = 0.3;
    private const double DefaultM3 = 0.2;

    /// <summary>The margin of the positives. It decides which of the margins below apply.</summary>
    [Hyperparameter("The margin of the positives: cosine, angle (arc), SphereFace's factor on the angle (sphere), or all three (combined).")]
    public PositiveMarginType MarginType { get; init; } = PositiveMarginType.Cos;

    /// <summary>m, 0 to 1.5: subtracted from the target cosine (cos, 0.4 if null) or added to the target angle in radians (arc, 0.5 if null).</summary>
    [MarginOnCosine(Default = DefaultCos, MarginTypes = ["cos"])]
    [MarginOnAngle(Default = DefaultArc, MarginTypes = ["arc"])]
    public double? Margin { get; init; }

    /// <summary>m1, factor on the target angle: 1 to 10 (sphere, 1.5 if null), or 0.1 to 10 (combined, 1 if null).</summary>
    [Hyperparameter(
        "m1, factor on the target angle.",
        1,
        10,
        Default = DefaultSphere,
        Typical = "1.3 to 1.7",
        MarginTypes = ["sphere"],
        LowerIfDiverging = true)]
    [Hyperparameter(
        "m1, factor on the target angle.",
        0.1,
        10,
        Default = DefaultM1,
        Typical = "0.9 to 1.2",
        MarginTypes = ["combined"],
        LowerIfDiverging = true)]
    public double? M1 { get; init; }

    /// <summary>m2, added to the target angle, 0 to 1.5 radians (combined, 0.3 if null).</summary>
    [Hyperparameter("m2, added to the target angle, in radians.", 0, 1.5, Default = DefaultM2, MarginTypes = ["combined"], LowerIfDiverging = true)]
    public double? M2 { get; init; }

    /// <summary>m3, subtracted from the target cosine, 0 to 1.5 (combined, 0.2 if null).</summary>
    [Hyperparameter("m3, subtracted from the target cosine.", 0, 1.5, Default = DefaultM3, MarginTypes = ["combined"], LowerIfDiverging = true)]
    public double? M3 { get; init; }

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 64;

    /// <summary>Factor on the loss terms of the other classes, 0 to 100.</summary>
    [Hyperparameter("Factor on the loss terms of the other classes.", 0, 100, Typical = "0.6 to 1")]
    public double Lambda { get; init; } = 1;

    /// <summary>Initial value of the threshold b = s * cosine, -20,000 to 20,000; null: ln(10 * C * r) for C classes.</summary>
    [Hyperparameter(
        "Initial value of the learned threshold b = s * cosine; auto is ln(10 * C * r) for C classes.",
        -20_000,
        20_000)]
    public double? Bias { get; init; }

    /// <summary>Clamps the argument of the softplus to [-s, s] as the paper's code does; the gradient outside is 0.</summary>
    [Hyperparameter("Clamps the argument of the softplus to [-s, s] as the paper's code does; the gradient outside is 0.")]
    public bool Clamp { get; init; }

    /// <summary>What happens where the angle plus the margin exceeds pi (arc, combined).</summary>
    [Wrap(MarginTypes = ["arc", "combined"])]
    public MarginWrap Wrap { get; init; } = MarginWrap.Guard;

    /// <summary>How the gradient passes through the margin (arc, sphere, combined).</summary>
    [Gradient(MarginTypes = ["arc", "sphere", "combined"])]
    public MarginGradient Gradient { get; init; } = MarginGradient.Chain;

    /// <summary>The number of thresholds: 1, or one per class.</summary>
    protected abstract int Thresholds(HeadShape shape);

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => MarginType switch
    {
        PositiveMarginType.Cos => new CosineMargin(Margin ?? DefaultCos),
        PositiveMarginType.Arc => new AngularMargin(1, Margin ?? DefaultArc, 0, Wrap, Gradient),
        PositiveMarginType.Sphere => new SphereMargin(M1 ?? DefaultSphere, Gradient),
        _ => new AngularMargin(M1 ?? DefaultM1, M2 ?? DefaultM2, M3 ?? DefaultM3, Wrap, Gradient),
    };

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) => new ThresholdObjective(this, Thresholds(shape), shape);
}

/// <summary>softplus(-(s * psi(c_y) - b)) + lambda * sum over the others of softplus(s * c_j - b), with one b for all classes or one per class.</summary>
internal sealed class ThresholdObjective(ThresholdLoss loss, int thresholds, HeadShape shape)
    : BinaryObjective(
        nameof(ThresholdObjective),
        loss.Scale,
        positive: 1,
        negative: loss.Lambda,
        thresholds == 1 ? 1 : shape.ShardClasses,
        loss.Bias ?? Math.Log(10.0 * shape.Classes * loss.NegativeRate),
        shape.Dtype,
        thresholds > 1)
{
    public override bool Clamp => loss.Clamp;

    public override double? Threshold => !PerClass ? OwnedTensors.Value(Bias) / Scale : null;
}
