using System.Globalization;
using TorchSharp;
using TorchSharp.Modules;
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

    /// <summary>The layer's output, with the way back on a tape; without a tape as <c>forward</c>.</summary>
    public virtual Tensor Run(Tensor input, Tape? tape) => tape is null ? forward(input) : tape.Autograd(input, forward);

    /// <inheritdoc/>
    public abstract string Emit(OnnxGraph graph, string input);
}

/// <summary>A layer that ends in a batch norm, which can take what follows it into its own passes over memory.</summary>
internal interface INormLayer
{
    /// <summary>act(layer(input)) + sum.</summary>
    /// <param name="input">What goes in.</param>
    /// <param name="tape">Takes the way back; null: as libtorch's graph goes.</param>
    /// <param name="activation">The PReLU after it, or null.</param>
    /// <param name="sum">What is added to the output, or null; the tape's user sees to its gradient.</param>
    Tensor Run(Tensor input, Tape? tape, PRelu? activation, Tensor? sum);
}

/// <summary>Layers one after the other; what lies between them is disposed (the tape or the graph keeps what it needs).</summary>
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

    public override Tensor forward(Tensor input) => Run(input, null);

    public override Tensor Run(Tensor input, Tape? tape) => Run(input, tape, null);

    /// <summary>The same, plus a tensor; the last layer must then be an <see cref="INormLayer"/>.</summary>
    public Tensor Run(Tensor input, Tape? tape, Tensor? sum)
    {
        Tensor x = input;
        for (int i = 0; i < layers.Length; i++)
        {
            Tensor before = x;
            if (layers[i] is INormLayer norm)
            {
                PRelu? activation = i + 1 < layers.Length ? layers[i + 1] as PRelu : null;
                i += activation is null ? 0 : 1;
                x = norm.Run(before, tape, activation, i + 1 == layers.Length ? sum : null);
            }
            else
            {
                x = layers[i].Run(before, tape);
            }

            if (!ReferenceEquals(before, input))
            {
                before.Dispose();
            }
        }

        return x;
    }

    public override string Emit(OnnxGraph graph, string input) => layers.Aggregate(input, (value, layer) => layer.Emit(graph, value));
}

/// <summary>x + body(x); the body ends in a batch norm.</summary>
internal sealed class Residual : Layer
{
    private readonly Chain body;

    public Residual(Chain body)
        : base("residual")
    {
        this.body = body;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => body.Run(input, null, input);

    public override Tensor Run(Tensor input, Tape? tape)
    {
        if (tape is null)
        {
            return forward(input);
        }

        Tape inner = new(inputNeedsGradient: true);
        Tensor output = body.Run(input, inner, input);
        tape.Add(gradient => inner.Backward(gradient)!.add_(gradient));
        return output;
    }

    public override string Emit(OnnxGraph graph, string input) => graph.Add(body.Emit(graph, input), input);
}

/// <summary>A convolution without bias and its batch norm: one Conv with bias in ONNX.</summary>
internal sealed class ConvNorm : Layer, INormLayer
{
    private readonly Parameter weight;
    private readonly BatchNorm norm;
    private readonly int groups;
    private readonly long[] strides;
    private readonly long[] padding;

    /// <summary>What is multiplied in while training; depthwise convolutions, which wait for memory, stay in float32.</summary>
    public Precision Precision { get; set; }

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

    public override Tensor forward(Tensor input) => Run(input, null, null, null);

    public override Tensor Run(Tensor input, Tape? tape) => Run(input, tape, null, null);

    public Tensor Run(Tensor input, Tape? tape, PRelu? activation, Tensor? sum)
    {
        using Tensor y = tape is null ? Convolve(input) : tape.Autograd(input, Convolve); // [B, outputs, h, w]
        return norm.Run(y, tape, activation, sum);
    }

    private Tensor Convolve(Tensor input)
    {
        if (!training || Precision == Precision.Float32 || groups > 1)
        {
            return nn.functional.conv2d(input, weight, null, strides, padding, null, groups);
        }

        using Tensor x = input.to(ScalarType.BFloat16);
        using Tensor w = weight.to(ScalarType.BFloat16);
        using Tensor y = nn.functional.conv2d(x, w, null, strides, padding, null, groups);
        return y.to(input.dtype);
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

    /// <summary>The slopes, [C].</summary>
    public Parameter Slope => weight;

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
