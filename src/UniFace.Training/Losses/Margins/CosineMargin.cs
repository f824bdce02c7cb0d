using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>psi(c) = c - m: CosFace, AM-Softmax. Its two gradients are one.</summary>
public sealed class CosineMargin : Margin
{
    private readonly double margin;

    /// <summary>A margin on the cosine.</summary>
    /// <param name="margin">m, subtracted from the target cosine.</param>
    public CosineMargin(double margin)
        : base(nameof(CosineMargin)) => this.margin = margin;

    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.TargetCosine - margin;
    }
}
