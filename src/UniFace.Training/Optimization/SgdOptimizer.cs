namespace UniFace.Training.Optimization;

/// <summary>
/// Stochastic gradient descent with momentum: v = momentum * v + (g + decay * w), w = w - rate * v, torch.optim.SGD's update (dampening 0,
/// no Nesterov).
/// </summary>
/// <param name="parameters">The parameters.</param>
/// <param name="momentum">Momentum factor, 0 to below 1.</param>
/// <param name="weightDecay">Factor of the weight decay.</param>
internal sealed class SgdOptimizer(IReadOnlyList<NamedParameter> parameters, double momentum = 0.9, double weightDecay = 5e-4)
    : ParameterOptimizer(parameters, weightDecay)
{
    /// <inheritdoc/>
    private protected override IReadOnlyList<string> StateKinds => momentum == 0 ? [] : ["momentum"];

    /// <inheritdoc/>
    private protected override void Update(in ParameterSlice slice, double learningRate) =>
        OptimizerKernels.Sgd(slice, momentum, WeightDecay, learningRate);

    /// <inheritdoc/>
    private protected override void Update(NamedParameter parameter, Tensor gradient, double learningRate)
    {
        if (WeightDecay != 0 && parameter.Decays)
        {
            gradient.add_(parameter.Value, alpha: WeightDecay);
        }

        if (momentum == 0)
        {
            parameter.Value.add_(gradient, alpha: -learningRate);
            return;
        }

        Tensor velocity = GetState("momentum", parameter);
        velocity.mul_(momentum).add_(gradient);
        parameter.Value.add_(velocity, alpha: -learningRate);
    }
}
