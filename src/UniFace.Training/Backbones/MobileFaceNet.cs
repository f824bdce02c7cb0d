namespace UniFace.Training.Backbones;

/// <summary>
/// MobileFaceNet (Chen et al. 2018, "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices"):
/// inverted residuals with PReLU and a global depthwise convolution instead of average pooling.
/// The width is a factor on all channel counts except the last, 512.
/// </summary>
internal static class MobileFaceNet
{
    /// <summary>Name of the family.</summary>
    public const string Name = "mobilefacenet";

    private const int HeadChannels = 512;

    // Table 1 of the paper: the expansion is in channels at width 1.
    private static readonly (int Expanded, int Outputs, int Stride, int Repeats)[] Stages =
    [
        (128, 64, 2, 1),
        (128, 64, 1, 4),
        (256, 128, 2, 1),
        (256, 128, 1, 6),
        (512, 128, 2, 1),
        (256, 128, 1, 2),
    ];

    /// <summary>The layers.</summary>
    /// <param name="spec">Name, width, embedding size.</param>
    /// <param name="seed">Seed of the weights.</param>
    public static IEnumerable<Layer> Create(BackboneSpec spec, long seed)
    {
        using WeightInitializer init = new(seed);
        int Channels(int atWidth1) => (int)(atWidth1 * spec.Width);

        int channels = Channels(64);
        List<Layer> layers =
        [
            new ConvNorm(init, 3, channels, kernel: 3, stride: 2, padding: 1), // [B, 64, 56, 56]
            new PRelu(channels),
            ConvNorm.Depthwise(init, channels, kernel: 3, stride: 1, padding: 1),
            new PRelu(channels),
        ];
        foreach ((int expanded, int outputs, int stride, int repeats) in Stages)
        {
            for (int i = 0; i < repeats; i++)
            {
                Chain block = Bottleneck(init, channels, Channels(expanded), Channels(outputs), stride);
                layers.Add(stride == 1 ? new Residual(block) : block);
                channels = Channels(outputs);
            }
        }

        // [B, 128, 7, 7]
        layers.Add(new ConvNorm(init, channels, HeadChannels, kernel: 1)); // [B, 512, 7, 7]
        layers.Add(new PRelu(HeadChannels));
        layers.Add(ConvNorm.Depthwise(init, HeadChannels, kernel: 7, stride: 1, padding: 0)); // [B, 512, 1, 1]
        layers.Add(new EmbeddingHead(init, HeadChannels, area: 1, spec.EmbeddingSize, normalizeMap: false)); // [B, D]
        return layers;
    }

    /// <summary>The network of an ONNX file, if its operators are those of a MobileFaceNet of some width.</summary>
    public static BackboneSpec? Recognize(OnnxWeights weights)
    {
        string[] expand = ["Conv", "PRelu", "Conv", "PRelu"];
        string[] blocks = [.. Enumerable.Repeat<string[]>([.. expand, "Conv"], Stages.Sum(stage => stage.Repeats)).SelectMany(block => block)];
        IReadOnlyList<string> operations = weights.Operations;
        bool same = operations.SkipLast(1).SequenceEqual([.. expand, .. blocks, "Conv", "PRelu", "Conv"])
            && operations[^1] is "Conv" or "Gemm" && weights.Shape(0) is [_, 3, 3, 3];
        return same ? new BackboneSpec(Name, weights.Shape(0)[0] / 64.0, (int)weights.Shape(^1)[0]) : null;
    }

    private static Chain Bottleneck(WeightInitializer init, int inputs, int expanded, int outputs, int stride) => new(
        new ConvNorm(init, inputs, expanded, kernel: 1),
        new PRelu(expanded),
        ConvNorm.Depthwise(init, expanded, kernel: 3, stride, padding: 1),
        new PRelu(expanded),
        new ConvNorm(init, expanded, outputs, kernel: 1));
}
