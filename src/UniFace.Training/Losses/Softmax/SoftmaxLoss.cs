namespace UniFace.Training.Losses;

/// <summary>Softmax cross-entropy of raw inner products: the baseline, without margin or threshold.</summary>
[Loss(
    "softmax",
    "Softmax cross-entropy of raw inner products, without normalization, bias or margin.",
    "the classifier of DeepFace: Taigman et al., CVPR 2014")]
public sealed class SoftmaxLoss : Loss
{
    /// <inheritdoc/>
    protected internal override Similarity Similarity => Similarity.InnerProduct;
}
