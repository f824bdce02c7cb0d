namespace UniFace.Training.Head.Margins;

/// <summary>psi(c) = c - m: CosFace and AM-Softmax. Both gradients are the same.</summary>
/// <param name="margin">m, subtracted from the target cosine.</param>
internal sealed class CosineMargin(double margin) : Margin(nameof(CosineMargin))
{
    internal override bool UsesBatchTargets => false;

    protected override Tensor Psi(MarginInput input) => input.TargetCosine - margin;
}
