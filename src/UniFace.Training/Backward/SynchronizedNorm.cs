namespace UniFace.Training.Backward;

/// <summary>
/// Batch norm whose statistics are those of the global batch, for tensors of any layout: forward, and backward from what forward kept. Each
/// direction takes one collective. The gradients of the parameters are this process's part, as for every other layer.
/// </summary>
/// <param name="norm">The batch norm.</param>
/// <param name="communicator">The processes.</param>
internal sealed class SynchronizedNorm(NormState norm, ICommunicator communicator)
{
    private Tensor mean = null!, inverseDeviation = null!; // [C], known after Forward
    private double count;

    /// <summary>Mean and variance over the values of all processes.</summary>
    /// <param name="communicator">The processes.</param>
    /// <param name="mean">Means of this process, [C]; replaced.</param>
    /// <param name="variance">Biased variances of this process, [C]; replaced.</param>
    /// <param name="count">Values per channel of this process.</param>
    /// <param name="pivot">Any values that are equal on all processes, near the means; they reduce cancellation.</param>
    /// <returns>Values per channel of all processes.</returns>
    public static long Combine(ICommunicator communicator, float[] mean, float[] variance, long count, ReadOnlySpan<float> pivot)
    {
        int channels = mean.Length;
        double[] sums = new double[(2 * channels) + 1];
        sums[^1] = count;
        for (int c = 0; c < channels; c++)
        {
            double shifted = mean[c] - (double)pivot[c];
            sums[c] = count * shifted;
            sums[channels + c] = count * (variance[c] + (shifted * shifted));
        }

        communicator.AllReduce(sums, Reduction.Sum, Traffic.BatchNorm);
        double total = sums[^1];
        for (int c = 0; c < channels; c++)
        {
            double shifted = sums[c] / total;
            mean[c] = (float)(pivot[c] + shifted);
            variance[c] = (float)Math.Max((sums[channels + c] / total) - (shifted * shifted), 0);
        }

        return (long)total;
    }

    /// <summary>The normalized input.</summary>
    public Tensor Forward(Tensor input)
    {
        using NoGradScope scope = new();
        (long[] others, long[] shape) = Dimensions(input);
        Tensor x = input.detach();
        Tensor ownMean = x.mean(others, type: ScalarType.Float64); // [C]
        Tensor ownVariance = (x - ownMean.to(x.dtype).view(shape)).square().mean(others, type: ScalarType.Float64); // [C]
        float[] means = OwnedTensors.Floats(ownMean), variances = OwnedTensors.Floats(ownVariance);
        count = Combine(communicator, means, variances, x.numel() / means.Length, OwnedTensors.Floats(norm.Mean));
        mean = tensor(means, device: x.device).DetachFromDisposeScope();
        Tensor variance = tensor(variances, device: x.device);
        inverseDeviation = (variance.to(ScalarType.Float64) + NormState.Epsilon).rsqrt().to(x.dtype).DetachFromDisposeScope();
        norm.Mean.mul_(1 - norm.Momentum).add_(mean, alpha: norm.Momentum);
        norm.Variance.mul_(1 - norm.Momentum).add_(variance, alpha: norm.Momentum * (count > 1 ? count / (count - 1) : 1));
        Tensor scale = norm.Weight.detach() * inverseDeviation;
        return ((x - mean.view(shape)) * scale.view(shape) + norm.Bias.detach().view(shape)).MoveToOuterDisposeScope();
    }

    /// <summary>Adds the gradients of the parameters; returns that of the input.</summary>
    public Tensor Backward(Tensor input, Tensor gradient)
    {
        using NoGradScope scope = new();
        (long[] others, long[] shape) = Dimensions(input);
        Tensor centered = input.detach() - mean.view(shape);
        Tensor total = gradient.sum(others, type: ScalarType.Float64); // [C]
        Tensor withInput = (gradient * centered).sum(others, type: ScalarType.Float64); // [C]
        AddGradient(norm.Weight, withInput * inverseDeviation);
        AddGradient(norm.Bias, total);
        double[] sums = [.. total.cpu().data<double>(), .. withInput.cpu().data<double>()];
        communicator.AllReduce(sums, Reduction.Sum, Traffic.BatchNorm);
        Tensor all = tensor(sums, device: input.device).view(2, -1) / count; // [2, C]
        Tensor scale = norm.Weight.detach() * inverseDeviation; // [C]
        Tensor factor = (all[1] * inverseDeviation * inverseDeviation).to(input.dtype); // [C]
        Tensor result = (gradient - all[0].to(input.dtype).view(shape) - (centered * factor.view(shape))) * scale.view(shape);
        mean.Dispose();
        inverseDeviation.Dispose();
        return result.MoveToOuterDisposeScope();
    }

    private static void AddGradient(Parameter parameter, Tensor gradient)
    {
        if (parameter.requires_grad)
        {
            using Tensor? known = parameter.grad;
            Tensor own = gradient.to(parameter.dtype);
            parameter.grad = known is null ? own : own + known;
        }
    }

    /// <summary>All dimensions but the channels, and the shape of a value per channel that fits the tensor.</summary>
    private static (long[] Others, long[] Shape) Dimensions(Tensor input) => input.Dimensions == 2
        ? ([0], [1, input.shape[1]])
        : ([0, 2, 3], [1, input.shape[1], 1, 1]);
}
