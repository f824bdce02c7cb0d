using UniFace.Training.Kernels;
using static TorchSharp.torch;

namespace UniFace.Training.Optimization;

/// <summary>
/// Stochastic gradient descent with momentum: v = momentum * v + (g + decay * w), w = w - rate * v; torch.optim.SGD's update
/// (dampening 0, no Nesterov), the same bits.
/// </summary>
public sealed class SgdOptimizer : ParameterOptimizer
{
    private readonly double momentum;

    /// <summary>An optimizer of the given parameters.</summary>
    public SgdOptimizer(IReadOnlyList<NamedParameter> parameters, double momentum = 0.9, double weightDecay = 5e-4)
        : base(parameters, weightDecay)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(momentum);
        this.momentum = momentum;
    }

    /// <inheritdoc/>
    private protected override IReadOnlyList<string> StateKinds => momentum == 0 ? [] : ["momentum"];

    /// <inheritdoc/>
    private protected override void Update(in Stretch stretch, double learningRate) => Elements.Sgd(stretch, momentum, WeightDecay, learningRate);

    /// <inheritdoc/>
    private protected override void Update(NamedParameter parameter, Tensor gradient, double learningRate)
    {
        ArgumentNullException.ThrowIfNull(parameter);
        ArgumentNullException.ThrowIfNull(gradient);
        if (WeightDecay != 0 && parameter.Decays)
        {
            gradient.add_(parameter.Value, alpha: WeightDecay);
        }

        if (momentum == 0)
        {
            parameter.Value.add_(gradient, alpha: -learningRate);
            return;
        }

        Tensor velocity = StateOf("momentum", parameter);
        velocity.mul_(momentum).add_(gradient);
        parameter.Value.add_(velocity, alpha: -learningRate);
    }
}
