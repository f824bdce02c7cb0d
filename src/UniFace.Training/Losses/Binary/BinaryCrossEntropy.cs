namespace UniFace.Training.Losses;

/// <summary>
/// Binary cross-entropy: as <see cref="UnifiedCrossEntropy"/>, with one learnable threshold per class (the baseline of UniFace, ICCV 2023).
/// </summary>
[Loss(
    "bce",
    "Binary cross-entropy: compares every similarity with a learned threshold of its class; any margin on the positives.",
    "the baseline (supplement E) of Zhou et al., UniFace, ICCV 2023")]
public sealed class BinaryCrossEntropy : ThresholdLoss
{
    /// <inheritdoc/>
    protected override int Thresholds(HeadShape shape) => shape.Classes;
}
