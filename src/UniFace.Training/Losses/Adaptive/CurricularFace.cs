namespace UniFace.Training.Losses;

/// <summary>CurricularFace: hard negatives count more as training proceeds (Huang et al., CVPR 2020).</summary>
[Loss("curricularface", "ArcFace that weights hard negatives more as training proceeds.", "Huang et al., CurricularFace, CVPR 2020")]
public sealed class CurricularFace : AngularMarginLoss
{
    /// <summary>m, added to the target angle, 0 to 1.5 radians.</summary>
    [AngularMargin]
    public double Margin { get; init; } = 0.5;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 64;

    /// <summary>Weight of the new batch in t, the running mean of the target cosines; 0 to 1.</summary>
    [Hyperparameter("Weight of the new batch in t, the running mean of the target cosines.", 0, 1, Usual = "0.01")]
    public double TMomentum { get; init; } = 0.01;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new CurricularFaceMargin(Margin, TMomentum, Wrap, Gradient, shape.Dtype);
}
