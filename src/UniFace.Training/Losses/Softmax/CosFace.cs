namespace UniFace.Training.Losses;

/// <summary>CosFace: psi(c) = c - m (Wang et al., CVPR 2018).</summary>
[Loss("cosface", "A margin subtracted from the target cosine.", "Wang et al., CosFace, CVPR 2018; Wang et al., AM-Softmax, SPL 2018")]
public sealed class CosFace : ScaledSoftmaxLoss
{
    /// <summary>m, subtracted from the target cosine, 0 to 1.5.</summary>
    [MarginOnCosine]
    public double Margin { get; init; } = 0.35;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new CosineMargin(Margin);
}
