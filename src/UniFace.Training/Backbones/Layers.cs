using System.Globalization;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using UniFace.Training.Export;
using static TorchSharp.torch;

namespace UniFace.Training.Backbones;

/// <summary>A layer: a tensor in, a new tensor out, and the same once more as ONNX nodes. It never returns its input.</summary>
internal abstract class Layer : nn.Module<Tensor, Tensor>, IOnnxLayer
{
    protected Layer(string name)
        : base(name)
    {
    }

    /// <inheritdoc/>
    public abstract string Emit(OnnxGraph graph, string input);
}

/// <summary>Layers one after the other; what lies between them is disposed (autograd keeps what it needs).</summary>
internal sealed class Chain : Layer
{
    private readonly Layer[] layers;

    public Chain(params Layer[] layers)
        : base("chain")
    {
        this.layers = layers;
        for (int i = 0; i < layers.Length; i++)
        {
            register_module(i.ToString(CultureInfo.InvariantCulture), layers[i]);
        }
    }

    public override Tensor forward(Tensor input)
    {
        Tensor x = layers[0].call(input);
        for (int i = 1; i < layers.Length; i++)
        {
            using Tensor before = x;
            x = layers[i].call(before);
        }

        return x;
    }

    public override string Emit(OnnxGraph graph, string input) => layers.Aggregate(input, (value, layer) => layer.Emit(graph, value));
}

/// <summary>x + body(x). The body ends in a batch norm, whose output autograd does not keep: the sum is done in place.</summary>
internal sealed class Residual : Layer
{
    private readonly Layer body;

    public Residual(Layer body)
        : base("residual")
    {
        this.body = body;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => body.call(input).add_(input);

    public override string Emit(OnnxGraph graph, string input) => graph.Add(body.Emit(graph, input), input);
}

/// <summary>Batch normalisation over [B, C] or [B, C, H, W] (Ioffe and Szegedy 2015), with a learned scale and shift.</summary>
internal sealed class BatchNorm : Layer
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

    public override Tensor forward(Tensor input) =>
        nn.functional.batch_norm(input, runningMean, runningVariance, weight, bias, training, Momentum, Epsilon);

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

/// <summary>A convolution without bias and its batch norm: one Conv with bias in ONNX.</summary>
internal sealed class ConvNorm : Layer
{
    private readonly Parameter weight;
    private readonly BatchNorm norm;
    private readonly int groups;
    private readonly long[] strides;
    private readonly long[] padding;

    public ConvNorm(WeightInitializer init, int inputs, int outputs, int kernel, int stride = 1, int padding = 0, int groups = 1)
        : base("convnorm")
    {
        weight = init.Convolution(outputs, inputs / groups, kernel);
        norm = new BatchNorm(outputs);
        this.groups = groups;
        strides = [stride, stride];
        this.padding = [padding, padding];
        RegisterComponents();
    }

    /// <summary>3x3, 5x5 or 7x7 of each channel alone.</summary>
    public static ConvNorm Depthwise(WeightInitializer init, int channels, int kernel, int stride, int padding) =>
        new(init, channels, channels, kernel, stride, padding, channels);

    public override Tensor forward(Tensor input)
    {
        using Tensor y = nn.functional.conv2d(input, weight, null, strides, padding, null, groups); // [B, outputs, h, w]
        return norm.call(y);
    }

    public override string Emit(OnnxGraph graph, string input)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable quiet = no_grad();
        (Tensor scale, Tensor shift) = norm.Affine();
        Tensor folded = BatchNorm.Double(weight) * scale.view(-1, 1, 1, 1); // [outputs, inputs / groups, k, k]
        return graph.Conv(input, folded, shift, (int)strides[0], (int)padding[0], groups);
    }
}

/// <summary>PReLU with a learned slope a channel (He et al. 2015), 0.25 at first.</summary>
internal sealed class PRelu : Layer
{
    private readonly Parameter weight;

    public PRelu(int channels)
        : base("prelu")
    {
        weight = WeightInitializer.Constant(channels, 0.25);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => input.prelu(weight);

    public override string Emit(OnnxGraph graph, string input) => graph.PRelu(input, weight);
}

/// <summary>SiLU, x * sigmoid(x).</summary>
internal sealed class Silu : Layer
{
    public Silu()
        : base("silu")
    {
    }

    public override Tensor forward(Tensor input) => nn.functional.silu(input);

    public override string Emit(OnnxGraph graph, string input) => graph.Mul(input, graph.Sigmoid(input));
}

/// <summary>
/// Feature map to embedding: an optional batch norm, flatten, a linear layer and a batch norm; one Gemm in ONNX.
/// The linear layer has no bias: the batch norm after it would take it away again.
/// </summary>
internal sealed class EmbeddingHead : Layer
{
    private readonly BatchNorm? before;
    private readonly Parameter weight;
    private readonly BatchNorm norm;
    private readonly int area;

    /// <param name="init">Draws the weights.</param>
    /// <param name="channels">Channels of the feature map.</param>
    /// <param name="area">Its height times its width.</param>
    /// <param name="embeddingSize">Values in an embedding.</param>
    /// <param name="normalizeMap">Batch norm on the feature map first, as IResNet has.</param>
    public EmbeddingHead(WeightInitializer init, int channels, int area, int embeddingSize, bool normalizeMap)
        : base("embedding")
    {
        before = normalizeMap ? new BatchNorm(channels) : null;
        weight = init.Linear(embeddingSize, channels * area);
        norm = new BatchNorm(embeddingSize);
        this.area = area;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input)
    {
        using Tensor? map = before?.call(input);
        using Tensor flat = (map ?? input).flatten(1); // [B, channels * area]
        using Tensor y = nn.functional.linear(flat, weight); // [B, D]
        return norm.call(y);
    }

    public override string Emit(OnnxGraph graph, string input)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable quiet = no_grad();
        Tensor linear = BatchNorm.Double(weight); // [D, channels * area]
        (Tensor scale, Tensor shift) = norm.Affine(); // [D]
        if (before is not null)
        {
            (Tensor mapScale, Tensor mapShift) = before.Affine(); // [channels]
            shift = shift + (scale * linear.mv(mapShift.repeat_interleave(area)));
            linear = linear * mapScale.repeat_interleave(area);
        }

        return graph.Gemm(graph.Flatten(input), linear * scale.view(-1, 1), shift);
    }
}
