namespace UniFace.Training.Head.Margins;

/// <summary>psi(c) = c: softmax, NormFace, AdaCos.</summary>
internal sealed class NoMargin() : Margin(nameof(NoMargin))
{
    internal override bool UsesBatchTargets => false;

    protected override Tensor Psi(MarginInput input) => input.TargetCosine;
}
