namespace UniFace.Training.Losses;

/// <summary>Sub-center ArcFace: K centers per class, of which the nearest counts (Deng et al., ECCV 2020).</summary>
[Loss(
    "subcenter-arcface",
    "ArcFace with several centers per class, of which the nearest counts; noisy labels collect at the others.",
    "Deng et al., Sub-center ArcFace, ECCV 2020")]
public sealed class SubCenterArcFace : AngularMarginLoss
{
    /// <summary>m, added to the target angle, 0 to 1.5 radians.</summary>
    [AngularMargin]
    public double Margin { get; init; } = 0.5;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 64;

    /// <summary>K, centers per class, 1 to 16.</summary>
    [Hyperparameter("K, centers per class.", 1, 16)]
    public int Subcenters { get; init; } = 3;

    /// <inheritdoc/>
    protected internal override int CentersPerClass => Subcenters;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new AngularMargin(1, Margin, 0, Wrap, Gradient);
}
