namespace UniFace.Training.Losses;

/// <summary>ArcFace: psi(c) = cos(theta + m) (Deng et al., CVPR 2019).</summary>
[Loss("arcface", "A margin added to the target angle.", "Deng et al., ArcFace, CVPR 2019")]
public sealed class ArcFace : AngularMarginLoss
{
    /// <summary>m, added to the target angle, 0 to 1.5 radians.</summary>
    [AngularMargin]
    public double Margin { get; init; } = 0.5;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 64;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new AngularMargin(1, Margin, 0, Wrap, Gradient);
}
