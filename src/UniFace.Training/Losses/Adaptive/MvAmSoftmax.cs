namespace UniFace.Training.Losses;

/// <summary>MV-AM-Softmax (Wang et al., AAAI 2020).</summary>
[Loss("mv-am", "CosFace that raises the logits of classes nearer than the target with its margin.", "Wang et al., MV-Softmax, AAAI 2020")]
public sealed class MvAmSoftmax : Loss
{
    /// <summary>m, subtracted from the target cosine, 0 to 1.5.</summary>
    [CosineMargin]
    public double Margin { get; init; } = 0.35;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 32;

    /// <summary>t, how much a nearer class is raised; 0 to 10.</summary>
    [Hyperparameter("t, how much a nearer class is raised.", 0, 10, Usual = "0.1 to 0.3")]
    public double T { get; init; } = 0.2;

    /// <summary>How a nearer class is raised.</summary>
    [Hyperparameter("How it is raised: adaptive to (t + 1) * c + t, fixed to c + t.")]
    public MvSoftmaxMode Mode { get; init; } = MvSoftmaxMode.Adaptive;

    /// <summary>What happens where the angle plus the margin exceeds pi.</summary>
    [Wrap]
    public MarginWrap Wrap { get; init; } = MarginWrap.Easy;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) =>
        new MvSoftmaxMargin(false, Margin, T, Mode == MvSoftmaxMode.Adaptive, Wrap, MarginGradient.Chain);
}
