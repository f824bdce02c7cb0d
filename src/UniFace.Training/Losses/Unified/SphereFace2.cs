namespace UniFace.Training.Losses;

/// <summary>SphereFace2: binary classification with a shared bias (Wen et al., ICLR 2022).</summary>
[Loss(
    "sphereface2",
    "Binary cross-entropy with one shared bias, rescaled similarities, margins on both sides and balancing weights.",
    "Wen et al., SphereFace2, ICLR 2022")]
public sealed class SphereFace2 : Loss
{
    /// <summary>m, subtracted from the target's and added to the others' similarity; 0 to 1.5.</summary>
    [Hyperparameter("m, subtracted from the target's and added to the others' similarity.", 0, 1.5, Usual = "0.3 to 0.5", Hardens = true)]
    public double Margin { get; init; } = 0.4;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale(Usual = "30 to 64")]
    public double Scale { get; init; } = 40;

    /// <summary>Weight of the target; the others have 1 - alpha. 0.001 to 0.999.</summary>
    [Hyperparameter("Weight of the target; the others have 1 - alpha.", 0.001, 0.999, Usual = "0.7 to 0.8")]
    public double Alpha { get; init; } = 0.7;

    /// <summary>t, exponent that rescales similarities, 1 to 20; 1 leaves them unchanged.</summary>
    [Hyperparameter("t, exponent that rescales similarities; 1 leaves them unchanged.", 1, 20)]
    public double T { get; init; } = 3;

    /// <summary>lw, factor on the loss, 0.001 to 10,000.</summary>
    [Hyperparameter("lw, factor on the loss.", 0.001, 10_000, Usual = "50")]
    public double LossWeight { get; init; } = 50;

    /// <summary>How the gradient passes through the margin.</summary>
    [Gradient]
    public MarginGradient Gradient { get; init; } = MarginGradient.StraightThrough;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new SphereFace2Margin(Margin, T, Gradient);

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) =>
        new SphereFace2Objective(shape.Classes, Scale, Alpha, LossWeight, Margin, T, shape.Dtype);
}
