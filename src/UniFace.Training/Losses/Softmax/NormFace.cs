namespace UniFace.Training.Losses;

/// <summary>NormFace: softmax cross-entropy of scaled cosines (Wang et al., ACM Multimedia 2017).</summary>
[Loss("normface", "Softmax cross-entropy of scaled cosines, without a margin.", "Wang et al., NormFace, ACM Multimedia 2017")]
public sealed class NormFace : ScaledSoftmaxLoss;
