namespace UniFace.Training.Backbones;

/// <summary>
/// The network of dlib's face recognition model (King 2017, a ResNet-34 with 29 convolutions and half the channels): faces of 150x150 in pixels / 256.
/// It has no batch norm: dlib's scales and biases are folded into its convolutions, so it is meant to start from dlib's weights. Unlike dlib, the
/// last layer has a bias, initially 0, so that fine-tuning can center the embeddings.
/// </summary>
internal static class DlibNet
{
    /// <summary>Its name in the registry, and of the graph in its packages.</summary>
    public const string Name = "dlib-resnet";

    /// <summary>The same network with a <see cref="UnitLinear"/> appended: what a fine-tuning to a teacher's embeddings trains.</summary>
    public const string MappedName = "dlib-resnet-mapped";

    private static readonly (int Channels, bool Halves, int Side)[] Blocks =
    [
        (32, false, 35), (32, false, 35), (32, false, 35),
        (64, true, 35), (64, false, 17), (64, false, 17), (64, false, 17),
        (128, true, 17), (128, false, 8), (128, false, 8),
        (256, true, 8), (256, false, 4), (256, false, 4), (256, true, 4),
    ];

    /// <summary>The layers.</summary>
    /// <param name="spec">Name, width 1, embedding size (dlib's: 128).</param>
    /// <param name="seed">Seed of the weights.</param>
    public static IEnumerable<Layer> Create(BackboneSpec spec, long seed)
    {
        using WeightInitializer init = new(seed);
        int channels = 32;
        List<Layer> layers = [new Convolution(init, 3, channels, kernel: 7, stride: 2, padding: 0), new Relu(), new MaxPool(3, 2)]; // [B, 32, 35, 35]
        foreach ((int outputs, bool halves, int side) in Blocks)
        {
            layers.Add(new DlibBlock(init, channels, outputs, halves, side));
            channels = outputs;
        }

        // [B, 256, 2, 2]
        layers.Add(new MeanProjection(init, channels, spec.EmbeddingSize)); // [B, D]
        if (spec.Name == MappedName)
        {
            layers.Add(new UnitLinear(spec.EmbeddingSize));
        }

        return layers;
    }
}

/// <summary>
/// relu(conv(relu(conv(x))) + x). A block that halves the size adds the means of 2x2 pixels with channels of zeros appended, and its branch, which
/// is a pixel smaller if the side is 8 or 4, is padded with zeros at the bottom and right.
/// </summary>
internal sealed class DlibBlock : Layer
{
    private readonly Convolution first, second;
    private readonly bool halves;
    private readonly int appended, padded;

    /// <param name="init">Draws the weights.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="outputs">Channels of the output.</param>
    /// <param name="halves">Whether it halves the size.</param>
    /// <param name="side">Side of the input in pixels.</param>
    public DlibBlock(WeightInitializer init, int inputs, int outputs, bool halves, int side)
        : base("dlib-block")
    {
        first = new Convolution(init, inputs, outputs, kernel: 3, stride: halves ? 2 : 1, padding: halves ? 0 : 1);
        second = new Convolution(init, outputs, outputs, kernel: 3, stride: 1, padding: 1);
        this.halves = halves;
        appended = outputs - inputs;
        padded = halves ? (side / 2) - (((side - 3) / 2) + 1) : 0;
        RegisterComponents();
    }

    public override Tensor Run(Tensor input, GradientEngine engine)
    {
        using Tensor sum = engine.Add(input, (inner, residual) => Branch(input, inner, residual), halves ? side => side.Apply(input, Reduce) : null);
        return engine.Apply(sum, x => x.relu());
    }

    public override string Emit(OnnxGraph graph, string input)
    {
        string branch = second.Emit(graph, graph.Relu(first.Emit(graph, input)));
        string shortcut = halves ? graph.Pad(graph.AveragePool(input, 2, 2), appended, 0) : input;
        return graph.Relu(graph.Add(graph.Pad(branch, 0, padded), shortcut));
    }

    public override void Load(OnnxWeights weights)
    {
        first.Load(weights);
        second.Load(weights);
    }

    private Tensor Branch(Tensor input, GradientEngine engine, Tensor residual)
    {
        using Tensor a = first.Run(input, engine);
        using Tensor b = engine.Apply(a, x => x.relu());
        Tensor y = second.Run(b, engine);
        if (padded > 0)
        {
            using Tensor small = y;
            y = engine.Apply(small, x => nn.functional.pad(x, [0, padded, 0, padded], PaddingModes.Zeros, 0));
        }

        return y.add_(residual); // Neither convolution nor padding saves its output for the backward pass.
    }

    private Tensor Reduce(Tensor input)
    {
        Tensor means = nn.functional.avg_pool2d(input, 2, 2);
        if (appended == 0)
        {
            return means;
        }

        using Tensor small = means;
        return nn.functional.pad(small, [0, 0, 0, 0, 0, appended], PaddingModes.Zeros, 0);
    }
}

/// <summary>A convolution with a bias.</summary>
internal sealed class Convolution : Layer
{
    private readonly Parameter weight;
    private readonly Parameter bias;
    private readonly long[] strides;
    private readonly long[] padding;

    public Convolution(WeightInitializer init, int inputs, int outputs, int kernel, int stride, int padding)
        : base("convolution")
    {
        weight = init.Convolution(outputs, inputs, kernel);
        bias = WeightInitializer.Constant(outputs, 0);
        strides = [stride, stride];
        this.padding = [padding, padding];
        RegisterComponents();
    }

    public override Tensor Run(Tensor input, GradientEngine engine) =>
        engine.Apply(input, x => nn.functional.conv2d(x, weight, bias, strides, padding));

    public override string Emit(OnnxGraph graph, string input) => graph.Conv(input, weight, bias, (int)strides[0], (int)padding[0], groups: 1);

    public override void Load(OnnxWeights weights) => weights.Next("Conv", weight, bias);
}

/// <summary>max(x, 0).</summary>
internal sealed class Relu() : Layer("relu")
{
    public override Tensor Run(Tensor input, GradientEngine engine) => engine.Apply(input, x => x.relu());

    public override string Emit(OnnxGraph graph, string input) => graph.Relu(input);
}

/// <summary>The largest value of each window, without padding.</summary>
internal sealed class MaxPool(int kernel, int stride) : Layer("max-pool")
{
    public override Tensor Run(Tensor input, GradientEngine engine) => engine.Apply(input, x => nn.functional.max_pool2d(x, kernel, stride));

    public override string Emit(OnnxGraph graph, string input) => graph.MaxPool(input, kernel, stride);
}

/// <summary>A last layer that ends in a linear map with a bias.</summary>
internal abstract class LinearEmbedding : Layer, IEmbeddingLayer
{
    private readonly Parameter weight;
    private readonly Parameter bias;

    /// <param name="name">Names the layer.</param>
    /// <param name="weight">[D, inputs].</param>
    protected LinearEmbedding(string name, Parameter weight)
        : base(name)
    {
        this.weight = weight;
        bias = WeightInitializer.Constant((int)weight.shape[0], 0);
        register_parameter(nameof(weight), weight); // RegisterComponents does not see the private fields of a base class.
        register_parameter(nameof(bias), bias);
    }

    public Parameter Bias => bias;

    public (Tensor Weight, Tensor Shift) Fold() => (BatchNorm.Double(weight), BatchNorm.Double(bias));

    public void SetFolded(Tensor folded, Tensor shift)
    {
        using IDisposable none = no_grad();
        weight.copy_(folded);
        bias.copy_(shift);
    }

    public override Tensor Run(Tensor input, GradientEngine engine) => engine.Apply(input, x =>
    {
        using Tensor vectors = Prepare(x); // [B, inputs]
        return nn.functional.linear(vectors, weight, bias);
    });

    public override string Emit(OnnxGraph graph, string input) => graph.Gemm(EmitPrepare(graph, input), weight, bias);

    public override void Load(OnnxWeights weights) => weights.Next("Gemm", weight, bias);

    /// <summary>The vectors that are mapped, [B, inputs]; a new tensor.</summary>
    protected abstract Tensor Prepare(Tensor input);

    /// <summary>The same in ONNX.</summary>
    protected abstract string EmitPrepare(OnnxGraph graph, string input);
}

/// <summary>The means of the channels, and a linear layer with a bias: a raw embedding.</summary>
internal sealed class MeanProjection(WeightInitializer init, int channels, int embeddingSize)
    : LinearEmbedding("mean-projection", init.Linear(embeddingSize, channels))
{
    protected override Tensor Prepare(Tensor input) => input.mean([2, 3]);

    protected override string EmitPrepare(OnnxGraph graph, string input) => graph.Flatten(graph.GlobalAveragePool(input));
}

/// <summary>
/// Normalizes embeddings to unit length, then a linear map with a bias, initially the identity. A map without the normalization would shift a
/// long embedding less than a short one, and the lengths of dlib's say nothing.
/// </summary>
internal sealed class UnitLinear(int embeddingSize) : LinearEmbedding("unit-linear", OwnedTensors.Parameter(eye(embeddingSize)))
{
    protected override Tensor Prepare(Tensor input) => nn.functional.normalize(input, p: 2, dim: 1, eps: 1e-12);

    protected override string EmitPrepare(OnnxGraph graph, string input) => graph.UnitLength(input);
}
