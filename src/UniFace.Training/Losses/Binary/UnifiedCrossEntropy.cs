namespace UniFace.Training.Losses;

/// <summary>
/// Unified cross-entropy: every similarity, positive or negative, is compared with one learnable threshold b:
/// softplus(-(s * psi(c_y) - b)) + lambda * sum over the other classes of softplus(s * c_j - b)
/// (Zhou, Jia, Li, Shen and Duan, UniFace, ICCV 2023).
/// </summary>
[Loss(
    "uce",
    "Unified cross-entropy: compares every similarity, positive or negative, with one learned threshold; any margin on the positives.",
    "Zhou, Jia, Li, Shen and Duan, UniFace, ICCV 2023")]
public sealed class UnifiedCrossEntropy : ThresholdLoss
{
    /// <inheritdoc/>
    protected override int Thresholds(HeadShape shape) => 1;
}
