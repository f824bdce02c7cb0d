namespace UniFace.Training.Head.Objectives;

/// <summary>
/// softplus(-(s * psi(c_y) - b)) + lambda * sum over the others of softplus(s * phi(c_j) - b). With one b for all classes this is
/// unified cross-entropy (Zhou et al., ICCV 2023), which compares every similarity with one learned threshold b / s; with one b per
/// class it is binary cross-entropy.
/// </summary>
/// <param name="biases">1: one threshold for all classes; C: one per class.</param>
/// <param name="initialBias">The initial value of the biases.</param>
/// <param name="scale">s.</param>
/// <param name="lambda">Factor on the terms of the other classes.</param>
/// <param name="clamp">Clamps the argument of the softplus to [-s, s].</param>
/// <param name="dtype">float32 or float64.</param>
internal sealed class UnifiedObjective(int biases, double initialBias, double scale, double lambda, bool clamp, ScalarType dtype)
    : BinaryObjective(nameof(UnifiedObjective), scale, positive: 1, lambda, biases, initialBias, dtype)
{
    public override bool Clamp => clamp;

    public override double? Threshold => Bias.shape[0] == 1 ? OwnedTensors.Value(Bias) / Scale : null;
}
