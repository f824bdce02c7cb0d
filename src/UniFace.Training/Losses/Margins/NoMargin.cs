using static TorchSharp.torch;

namespace UniFace.Training.Losses.Margins;

/// <summary>psi(c) = c: softmax, NormFace, AdaCos.</summary>
public sealed class NoMargin() : Margin(nameof(NoMargin))
{
    /// <inheritdoc/>
    protected override Tensor Psi(MarginInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return input.TargetCosine;
    }
}
