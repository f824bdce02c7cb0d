namespace UniFace.Training.Losses;

/// <summary>psi(c) = cos(m1 * theta + m2) - m3 (Deng et al., ArcFace, CVPR 2019).</summary>
[Loss("combined", "All three margins at once: cos(m1 * theta + m2) - m3.", "Deng et al., ArcFace, CVPR 2019")]
public sealed class CombinedMarginLoss : AngularMarginLoss
{
    /// <summary>The loss with the defaults of the paper's code.</summary>
    public CombinedMarginLoss() => Wrap = MarginWrap.Plain;

    /// <summary>m1, factor on the target angle, 0.1 to 10.</summary>
    [Hyperparameter("m1, factor on the target angle.", 0.1, 10, Usual = "0.9 to 1.2", Hardens = true)]
    public double M1 { get; init; } = 1;

    /// <summary>m2, added to the target angle, 0 to 1.5 radians.</summary>
    [Hyperparameter("m2, added to the target angle, in radians.", 0, 1.5, Hardens = true)]
    public double M2 { get; init; } = 0.3;

    /// <summary>m3, subtracted from the target cosine, 0 to 1.5.</summary>
    [Hyperparameter("m3, subtracted from the target cosine.", 0, 1.5, Hardens = true)]
    public double M3 { get; init; } = 0.2;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 64;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new AngularMargin(M1, M2, M3, Wrap, Gradient);
}
