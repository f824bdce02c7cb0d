using System.Runtime.InteropServices;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using UniFace.Training.Export;
using UniFace.Training.Kernels;
using static TorchSharp.torch;

namespace UniFace.Training.Backbones;

/// <summary>Batch normalisation over [B, C] or [B, C, H, W] (Ioffe and Szegedy 2015), with a learned scale and shift.</summary>
internal sealed class BatchNorm : Layer, INormLayer
{
    public const double Epsilon = 1e-5;

    private readonly Parameter weight;
    private readonly Parameter bias;

    [ComponentName(Name = "running_mean")]
    private readonly Tensor runningMean;

    [ComponentName(Name = "running_var")]
    private readonly Tensor runningVariance;

    public BatchNorm(int channels)
        : base("batchnorm")
    {
        weight = WeightInitializer.Constant(channels, 1);
        bias = WeightInitializer.Constant(channels, 0);
        runningMean = zeros(channels, dtype: ScalarType.Float32).DetachFromDisposeScope();
        runningVariance = ones(channels, dtype: ScalarType.Float32).DetachFromDisposeScope();
        RegisterComponents();
    }

    /// <summary>Share of a batch's statistics in the running ones.</summary>
    public double Momentum { get; set; } = 0.1;

    public override Tensor forward(Tensor input) => Run(input, null, null, null);

    public override Tensor Run(Tensor input, Tape? tape) => Run(input, tape, null, null);

    public Tensor Run(Tensor input, Tape? tape, PRelu? activation, Tensor? sum)
    {
        bool graph = tape is null && is_grad_enabled(); // libtorch's graph must see every operator.
        if (!graph && (tape is null || training) && ChannelRows.Fits(input) && input.shape[1] % NormKernels.Lane == 0 && (sum is null || ChannelRows.Fits(sum)))
        {
            return Fused(input, tape, activation, sum);
        }

        Tensor y = tape is null ? Norm(input) : tape.Autograd(input, Norm);
        if (activation is not null)
        {
            using Tensor before = y;
            y = activation.Run(before, tape);
        }

        return sum is null ? y : y.add_(sum); // Neither a batch norm nor a PReLU needs its output for the way back.
    }

    private Tensor Norm(Tensor input) => nn.functional.batch_norm(input, runningMean, runningVariance, weight, bias, training, Momentum, Epsilon);

    private Tensor Fused(Tensor input, Tape? tape, PRelu? activation, Tensor? sum)
    {
        ChannelRows x = ChannelRows.Of(input);
        int channels = x.Channels;
        float[] mean = Values(runningMean);
        float[] variance = Values(runningVariance);
        if (training)
        {
            NormKernels.Statistics(x, mean, variance);
            Track(mean, variance, x.Count);
        }

        float[] gamma = Values(weight), shift = Values(bias);
        float[]? slope = activation is null ? null : Values(activation.Slope);
        float[] inverse = new float[channels], scale = new float[channels];
        for (int c = 0; c < channels; c++)
        {
            double root = 1 / Math.Sqrt(variance[c] + Epsilon);
            inverse[c] = (float)root;
            scale[c] = (float)(gamma[c] * root);
        }

        Tensor output = ChannelRows.EmptyLike(input);
        NormKernels.Apply(x, mean, scale, shift, slope, sum is null ? 0 : Pointers.Of(sum), Pointers.Of(output));
        if (tape is not null)
        {
            Tensor kept = input.alias();
            tape.Add(gradient => FusedBack(kept, gradient, activation, mean, inverse, scale, shift, slope), kept);
        }

        return output;
    }

    private Tensor FusedBack(Tensor input, Tensor gradient, PRelu? activation, float[] mean, float[] inverse, float[] scale, float[] shift, float[]? slope)
    {
        ChannelRows x = ChannelRows.Of(input);
        int channels = x.Channels;
        using Tensor arranged = ChannelRows.Arrange(gradient);
        double[] sums = NormKernels.GradientSums(x, Pointers.Of(arranged), mean, scale, shift, slope);
        float[] byInput = new float[channels], constant = new float[channels];
        float[] ofGamma = new float[channels], ofBeta = new float[channels], ofSlope = new float[channels];
        for (int c = 0; c < channels; c++)
        {
            double all = sums[c], withInput = sums[channels + c];
            byInput[c] = (float)(-scale[c] * (double)inverse[c] * inverse[c] * withInput / x.Count);
            constant[c] = (float)(-scale[c] * all / x.Count);
            ofGamma[c] = (float)(withInput * inverse[c]);
            ofBeta[c] = (float)all;
            ofSlope[c] = (float)sums[(2 * channels) + c];
        }

        AddGradient(weight, ofGamma);
        AddGradient(bias, ofBeta);
        if (activation is not null)
        {
            AddGradient(activation.Slope, ofSlope);
        }

        Tensor ofInput = ChannelRows.EmptyLike(input);
        NormKernels.InputGradient(x, Pointers.Of(arranged), mean, scale, shift, slope, scale, byInput, constant, Pointers.Of(ofInput));
        return ofInput;
    }

    /// <summary>Takes a batch's statistics into the running ones; the variance there is the unbiased one.</summary>
    private void Track(float[] mean, float[] variance, long count)
    {
        Span<float> means = Live(runningMean), variances = Live(runningVariance);
        double unbiased = count > 1 ? count / (count - 1.0) : 1;
        for (int c = 0; c < mean.Length; c++)
        {
            means[c] = (float)(((1 - Momentum) * means[c]) + (Momentum * mean[c]));
            variances[c] = (float)(((1 - Momentum) * variances[c]) + (Momentum * variance[c] * unbiased));
        }
    }

    private static Span<float> Live(Tensor vector) => MemoryMarshal.Cast<byte, float>(vector.bytes);

    private static float[] Values(Tensor vector) => Live(vector).ToArray();

    private static void AddGradient(Parameter parameter, float[] values)
    {
        if (!parameter.requires_grad)
        {
            return;
        }

        using Tensor? known = parameter.grad;
        Tensor gradient = tensor(values); // [C]
        if (known is null)
        {
            parameter.grad = gradient;
        }
        else
        {
            known.add_(gradient);
        }

        gradient.Dispose();
    }

    public override string Emit(OnnxGraph graph, string input) =>
        graph.BatchNormalization(input, weight, bias, runningMean, runningVariance, Epsilon);

    /// <summary>What it does in eval mode, y = scale * x + shift: two float64 tensors of [C] on the CPU.</summary>
    public (Tensor Scale, Tensor Shift) Affine()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable quiet = no_grad();
        Tensor scale = Double(weight) / (Double(runningVariance) + Epsilon).sqrt(); // [C]
        Tensor shift = Double(bias) - (Double(runningMean) * scale); // [C]
        return (scale.MoveToOuterDisposeScope(), shift.MoveToOuterDisposeScope());
    }

    /// <summary>A tensor as float64 on the CPU.</summary>
    public static Tensor Double(Tensor tensor) => tensor.detach().to(ScalarType.Float64, CPU);
}
