using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Optimization;

/// <summary>Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019), torch.optim.AdamW's update.</summary>
internal sealed class AdamWOptimizer : ParameterOptimizer
{
    private readonly double beta1;
    private readonly double beta2;
    private readonly double epsilon;

    /// <summary>An optimizer for the given parameters.</summary>
    public AdamWOptimizer(
        IReadOnlyList<NamedParameter> parameters, double weightDecay = 1e-2, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
        : base(parameters, weightDecay)
    {
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = epsilon;
    }

    /// <inheritdoc/>
    private protected override IReadOnlyList<string> StateKinds => ["mean", "square"];

    /// <inheritdoc/>
    private protected override void Update(in ParameterSlice slice, double learningRate) => OptimizerKernels.AdamW(slice, new AdamStep(
        (float)beta1,
        (float)(1 - beta1),
        (float)beta2,
        (float)(1 - beta2),
        (float)(1 - (learningRate * WeightDecay)),
        (float)Rate(learningRate),
        (float)Root,
        (float)epsilon));

    /// <inheritdoc/>
    private protected override void Update(NamedParameter parameter, Tensor gradient, double learningRate)
    {
        if (WeightDecay != 0 && parameter.Decays)
        {
            parameter.Value.mul_(1 - (learningRate * WeightDecay));
        }

        Tensor mean = GetState("mean", parameter);
        Tensor square = GetState("square", parameter);
        mean.mul_(beta1).add_(gradient, alpha: 1 - beta1);
        square.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
        using Tensor root = square.sqrt();
        root.div_(Root).add_(epsilon);
        parameter.Value.addcdiv_(mean, root, -Rate(learningRate));
    }

    // Bias correction: both states start at zero.
    private double Root => Math.Sqrt(1 - Math.Pow(beta2, Steps));

    private double Rate(double learningRate) => learningRate / (1 - Math.Pow(beta1, Steps));
}
