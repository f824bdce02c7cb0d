using UniFace.Training.Losses.Margins;
using UniFace.Training.Losses.Objectives;

namespace UniFace.Training.Losses;

/// <summary>Softmax cross-entropy of raw inner products: the baseline without compactness or a threshold for "unknown".</summary>
[Loss(
    "softmax",
    "Softmax cross-entropy of raw inner products, without normalisation, bias or margin.",
    "the classifier of DeepFace: Taigman et al., CVPR 2014")]
public sealed class SoftmaxLoss : Loss
{
    /// <inheritdoc/>
    protected internal override Similarity Similarity => Similarity.InnerProduct;

    /// <inheritdoc/>
    protected override Margin CreateMargin(HeadShape shape) => new NoMargin();

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) => Softmax(1);
}
