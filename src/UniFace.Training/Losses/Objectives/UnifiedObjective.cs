using TorchSharp.Modules;
using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses.Objectives;

/// <summary>
/// softplus(-(s * psi(c_y) - b)) + lambda * sum over the others of softplus(s * phi(c_j) - b). With one b for all classes it is
/// unified cross-entropy (Zhou et al., ICCV 2023): every similarity is compared with one learned threshold b / s. With one b a
/// class it is binary cross-entropy. The softplus is exact; by option its argument is clamped to [-s, s] as in the paper's code,
/// where the gradient is then 0.
/// </summary>
public sealed class UnifiedObjective : Objective
{
    private readonly double scale;
    private readonly double lambda;
    private readonly bool clamp;

    /// <summary>Unified or binary cross-entropy.</summary>
    /// <param name="biases">1: one threshold for all classes; C: one a class.</param>
    /// <param name="start">The biases' start.</param>
    /// <param name="scale">s.</param>
    /// <param name="lambda">Factor on the other classes' part.</param>
    /// <param name="clamp">Clamps the softplus's argument to [-s, s].</param>
    /// <param name="dtype">float32 or float64.</param>
    public UnifiedObjective(int biases, double start, double scale, double lambda, bool clamp, ScalarType dtype)
        : base(nameof(UnifiedObjective))
    {
        this.scale = scale;
        this.lambda = lambda;
        this.clamp = clamp;
        register_parameter("bias", OwnedTensors.Parameter(full(biases, start, dtype: dtype)));
    }

    /// <summary>b, [1] or [C].</summary>
    public Parameter Bias => get_parameter("bias")!;

    /// <inheritdoc/>
    public override double? Threshold => Bias.shape[0] == 1 ? OwnedTensors.Value(Bias) / scale : null;

    internal BinaryTerms Terms => new() { Scale = scale, Positive = 1, Negative = lambda, Bias = Bias, Clamp = clamp };

    /// <inheritdoc/>
    public override Tensor LogitFactor(Tensor norm) => Terms.Factor(norm);

    /// <inheritdoc/>
    public override ObjectiveStep Begin(ObjectiveBatch batch) => Terms.Begin(batch);
}
