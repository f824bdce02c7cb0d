namespace UniFace.Training.Losses;

/// <summary>CosFace: psi(c) = c - m (Wang et al., CVPR 2018).</summary>
[Loss("cosface", "A margin subtracted from the target cosine.", "Wang et al., CosFace, CVPR 2018; Wang et al., AM-Softmax, SPL 2018")]
public sealed class CosFace : Loss
{
    /// <summary>m, subtracted from the target cosine, 0 to 1.5.</summary>
    [CosineMargin]
    public double Margin { get; init; } = 0.35;

    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 64;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new CosineMargin(Margin);
}
