namespace UniFace.Training.Optimization;

/// <summary>Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019), torch.optim.AdamW's update.</summary>
internal sealed class AdamWOptimizer(IReadOnlyList<NamedParameter> parameters, double weightDecay = 1e-2)
    : ParameterOptimizer(parameters, weightDecay)
{
    private const double Beta1 = 0.9;
    private const double Beta2 = 0.999;
    private const double Epsilon = 1e-8;

    /// <inheritdoc/>
    private protected override IReadOnlyList<string> StateKinds => ["mean", "square"];

    /// <inheritdoc/>
    private protected override void Update(in ParameterSlice slice, double learningRate) =>
        OptimizerKernels.AdamW(slice, Beta1, Beta2, 1 - (learningRate * WeightDecay), Rate(learningRate), Root, Epsilon);

    /// <inheritdoc/>
    private protected override void Update(NamedParameter parameter, Tensor gradient, double learningRate)
    {
        if (WeightDecay != 0 && parameter.Decays)
        {
            parameter.Value.mul_(1 - (learningRate * WeightDecay));
        }

        Tensor mean = GetState("mean", parameter);
        Tensor square = GetState("square", parameter);
        mean.mul_(Beta1).add_(gradient, alpha: 1 - Beta1);
        square.mul_(Beta2).addcmul_(gradient, gradient, 1 - Beta2);
        using Tensor root = square.sqrt();
        root.div_(Root).add_(Epsilon);
        parameter.Value.addcdiv_(mean, root, -Rate(learningRate));
    }

    // Bias correction: both states start at zero, and each update moves them.
    private double Root => Math.Sqrt(1 - Math.Pow(Beta2, Steps - Skipped));

    private double Rate(double learningRate) => learningRate / (1 - Math.Pow(Beta1, Steps - Skipped));
}
