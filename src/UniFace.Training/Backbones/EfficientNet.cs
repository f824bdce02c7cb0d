namespace UniFace.Training.Backbones;

/// <summary>
/// EfficientNet-B0 (Tan and Le 2019) for aligned faces. The stem has stride 1 instead of 2, so that a 112x112 input gives every block the
/// map size that the paper's 224x224 input does and ends in 7x7, as the other backbones do.
/// The head is a global depthwise convolution as in MobileFaceNet (an average would ignore where in the face a feature lies), a linear layer
/// and a batch norm. There is no stochastic depth.
/// </summary>
internal static class EfficientNet
{
    private const int StemChannels = 32;
    private const int HeadChannels = 1280;
    private const int FinalSide = 7;

    // Table 1 of the paper.
    private static readonly (int Expansion, int Kernel, int Stride, int Outputs, int Repeats)[] Stages =
    [
        (1, 3, 1, 16, 1),
        (6, 3, 2, 24, 2),
        (6, 5, 2, 40, 2),
        (6, 3, 2, 80, 3),
        (6, 5, 1, 112, 3),
        (6, 5, 2, 192, 4),
        (6, 3, 1, 320, 1),
    ];

    /// <summary>The layers.</summary>
    /// <param name="spec">Name, width 1, embedding size.</param>
    /// <param name="seed">Seed of the weights.</param>
    public static IEnumerable<Layer> Create(BackboneSpec spec, long seed)
    {
        using WeightInitializer init = new(seed);
        int channels = StemChannels;
        List<Layer> layers = [new ConvNorm(init, 3, channels, kernel: 3, padding: 1), new Silu()]; // [B, 32, 112, 112]
        foreach ((int expansion, int kernel, int firstStride, int outputs, int repeats) in Stages)
        {
            for (int i = 0; i < repeats; i++)
            {
                int stride = i == 0 ? firstStride : 1;
                Chain block = MobileInvertedBottleneck(init, channels, channels * expansion, outputs, kernel, stride);
                layers.Add(stride == 1 && channels == outputs ? new Residual(block) : block);
                channels = outputs;
            }
        }

        // [B, 320, 7, 7]
        layers.Add(new ConvNorm(init, channels, HeadChannels, kernel: 1)); // [B, 1280, 7, 7]
        layers.Add(new Silu());
        layers.Add(ConvNorm.Depthwise(init, HeadChannels, FinalSide, stride: 1, padding: 0)); // [B, 1280, 1, 1]
        layers.Add(new EmbeddingHead(init, HeadChannels, area: 1, spec.EmbeddingSize, normalizeMap: false)); // [B, D]
        return layers;
    }

    private static Chain MobileInvertedBottleneck(WeightInitializer init, int inputs, int expanded, int outputs, int kernel, int stride)
    {
        List<Layer> layers = [];
        if (expanded != inputs)
        {
            layers.Add(new ConvNorm(init, inputs, expanded, kernel: 1));
            layers.Add(new Silu());
        }

        layers.Add(ConvNorm.Depthwise(init, expanded, kernel, stride, padding: kernel / 2));
        layers.Add(new Silu());
        layers.Add(new SqueezeExcite(init, expanded, Math.Max(1, inputs / 4)));
        layers.Add(new ConvNorm(init, expanded, outputs, kernel: 1));
        return new Chain([.. layers]);
    }
}

/// <summary>Squeeze and excitation (Hu et al. 2018): scales every channel by a factor from 0 to 1, computed from the means of all channels.</summary>
internal sealed class SqueezeExcite : Layer
{
    private readonly Parameter squeezeWeight;
    private readonly Parameter squeezeBias;
    private readonly Parameter exciteWeight;
    private readonly Parameter exciteBias;

    public SqueezeExcite(WeightInitializer init, int channels, int squeezed)
        : base("squeeze-excite")
    {
        squeezeWeight = init.Convolution(squeezed, channels, 1);
        squeezeBias = WeightInitializer.Constant(squeezed, 0);
        exciteWeight = init.Convolution(channels, squeezed, 1);
        exciteBias = WeightInitializer.Constant(channels, 0);
        RegisterComponents();
    }

    public override Tensor Run(Tensor input, GradientEngine engine) => engine.Apply(input, Rescale);

    private Tensor Rescale(Tensor input)
    {
        using Tensor means = input.mean([2, 3], keepdim: true); // [B, C, 1, 1]
        using Tensor squeezed = nn.functional.conv2d(means, squeezeWeight, squeezeBias); // [B, squeezed, 1, 1]
        using Tensor active = nn.functional.silu(squeezed);
        using Tensor excited = nn.functional.conv2d(active, exciteWeight, exciteBias); // [B, C, 1, 1]
        using Tensor factors = excited.sigmoid();
        return input * factors;
    }

    public override string Emit(OnnxGraph graph, string input)
    {
        string squeezed = graph.Conv(graph.GlobalAveragePool(input), squeezeWeight, squeezeBias, stride: 1, padding: 0, groups: 1);
        string active = graph.Mul(squeezed, graph.Sigmoid(squeezed));
        string excited = graph.Conv(active, exciteWeight, exciteBias, stride: 1, padding: 0, groups: 1);
        return graph.Mul(input, graph.Sigmoid(excited));
    }

    public override void Load(OnnxWeights weights)
    {
        weights.Next("Conv", squeezeWeight, squeezeBias);
        weights.Next("Conv", exciteWeight, exciteBias);
    }
}
