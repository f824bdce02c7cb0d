namespace UniFace.Training.Backward;

/// <summary>
/// One call of a batch norm (Ioffe and Szegedy 2015) fused with the PReLU after it: forward, and backward from the statistics that forward kept.
/// </summary>
/// <param name="norm">The batch norm.</param>
/// <param name="activation">Slopes of the PReLU, [C], or null.</param>
internal sealed class FusedNorm(NormState norm, Parameter? activation)
{
    private readonly NormCoefficients coefficients =
        new(Values(norm.Mean), Values(norm.Weight), Values(norm.Bias), activation is null ? null : Values(activation));

    private long count; // values per channel, of all processes if synchronized; known after Forward
    private readonly float[] inverseDeviation = new float[norm.Mean.shape[0]]; // known after Forward

    /// <summary>Whether the kernels take a tensor: channels-last float32 on the CPU, channels in multiples of <see cref="NormKernels.Lane"/>.</summary>
    public static bool Supports(Tensor input) => ChannelsLastView.Fits(input) && input.shape[1] % NormKernels.Lane == 0;

    /// <summary>act(norm(input)) + residual.</summary>
    public Tensor Forward(Tensor input, Tensor? residual)
    {
        ChannelsLastView x = ChannelsLastView.Over(input);
        float[] variance = Values(norm.Variance);
        count = x.Count;
        if (norm.Training)
        {
            NormKernels.Statistics(x, coefficients.Mean, variance);
            if (norm.Synchronized is ICommunicator communicator)
            {
                count = SynchronizedNorm.Combine(communicator, coefficients.Mean, variance, count, TensorMemory.Floats(norm.Mean));
            }

            UpdateRunning(variance, count);
        }

        for (int c = 0; c < variance.Length; c++)
        {
            double inverse = 1 / Math.Sqrt(variance[c] + NormState.Epsilon);
            inverseDeviation[c] = (float)inverse;
            coefficients.Scale[c] = (float)(coefficients.Scale[c] * inverse);
        }

        Tensor output = ChannelsLastView.EmptyLike(input);
        NormKernels.Apply(x, coefficients, residual is null ? 0 : TensorMemory.Address(residual), TensorMemory.Address(output));
        return output;
    }

    /// <summary>Adds the gradients of the parameters; returns that of the input.</summary>
    public Tensor Backward(Tensor input, Tensor gradient)
    {
        ChannelsLastView x = ChannelsLastView.Over(input);
        int channels = x.Channels;
        float[] scale = coefficients.Scale;
        using Tensor arranged = ChannelsLastView.Arrange(gradient);
        double[] sums = NormKernels.GradientSums(x, TensorMemory.Address(arranged), coefficients);
        double[] all = sums; // of the global batch, which the gradient of the input depends on
        if (norm.Synchronized is ICommunicator communicator)
        {
            all = sums[..(2 * channels)];
            communicator.AllReduce(all, Reduction.Sum, Traffic.BatchNorm);
        }

        float[] inputFactor = new float[channels], constant = new float[channels], weightGradient = new float[channels];
        for (int c = 0; c < channels; c++)
        {
            double total = all[c], withInput = all[channels + c];
            inputFactor[c] = (float)(-scale[c] * (double)inverseDeviation[c] * inverseDeviation[c] * withInput / count);
            constant[c] = (float)(-scale[c] * total / count);
            weightGradient[c] = (float)(sums[channels + c] * inverseDeviation[c]);
        }

        AddGradient(norm.Weight, weightGradient);
        AddGradient(norm.Bias, [.. sums.Take(channels).Select(sum => (float)sum)]);
        if (activation is not null)
        {
            AddGradient(activation, [.. sums.Skip(2 * channels).Select(sum => (float)sum)]);
        }

        Tensor result = ChannelsLastView.EmptyLike(input);
        NormKernels.InputGradient(x, TensorMemory.Address(arranged), coefficients, inputFactor, constant, TensorMemory.Address(result));
        return result;
    }

    /// <summary>Updates the running statistics, with the unbiased variance.</summary>
    private void UpdateRunning(float[] variance, long count)
    {
        Span<float> means = TensorMemory.Floats(norm.Mean), variances = TensorMemory.Floats(norm.Variance);
        double unbiased = count > 1 ? count / (count - 1.0) : 1;
        for (int c = 0; c < variance.Length; c++)
        {
            means[c] = (float)(((1 - norm.Momentum) * means[c]) + (norm.Momentum * coefficients.Mean[c]));
            variances[c] = (float)(((1 - norm.Momentum) * variances[c]) + (norm.Momentum * variance[c] * unbiased));
        }
    }

    private static float[] Values(Tensor vector) => TensorMemory.Floats(vector).ToArray();

    private static void AddGradient(Parameter parameter, float[] values)
    {
        if (!parameter.requires_grad)
        {
            return;
        }

        using Tensor? known = parameter.grad;
        using Tensor gradient = tensor(values); // [C]
        if (known is null)
        {
            parameter.grad = gradient;
        }
        else
        {
            known.add_(gradient);
        }
    }
}
