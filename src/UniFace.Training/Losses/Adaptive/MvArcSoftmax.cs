namespace UniFace.Training.Losses;

/// <summary>MV-Arc-Softmax (Wang et al., AAAI 2020).</summary>
[Loss("mv-arc", "ArcFace that raises the logits of classes nearer than the target with its margin.", "Wang et al., MV-Softmax, AAAI 2020")]
public sealed class MvArcSoftmax : AngularMarginLoss
{
    /// <summary>The loss with the defaults of the paper's code.</summary>
    public MvArcSoftmax() => Wrap = MarginWrap.Easy;

    /// <summary>m, added to the target angle, 0 to 1.5 radians.</summary>
    [AngularMargin]
    public double Margin { get; init; } = 0.5;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 32;

    /// <summary>t, how much a nearer class is raised; 0 to 10.</summary>
    [Hyperparameter("t, how much a nearer class is raised.", 0, 10, Usual = "0.1 to 0.3")]
    public double T { get; init; } = 0.2;

    /// <summary>How a nearer class is raised.</summary>
    [Hyperparameter("How it is raised: adaptive to (t + 1) * c + t, fixed to c + t.")]
    public MvSoftmaxMode Mode { get; init; } = MvSoftmaxMode.Adaptive;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) =>
        new MvSoftmaxMargin(true, Margin, T, Mode == MvSoftmaxMode.Adaptive, Wrap, Gradient);
}

/// <summary>How MV-Softmax raises a class that is nearer than the target.</summary>
public enum MvSoftmaxMode
{
    /// <summary>To (t + 1) * c + t: harder classes more.</summary>
    Adaptive,

    /// <summary>To c + t.</summary>
    Fixed,
}
