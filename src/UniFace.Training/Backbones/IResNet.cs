namespace UniFace.Training.Backbones;

/// <summary>
/// IResNet, the residual network of ArcFace (Deng et al. 2019) as InsightFace trains it: a stem of stride 1, so that 112x112 ends
/// in 7x7, and residual blocks of BN, conv, BN, PReLU, conv, BN. Convolutions are initialized from N(0, 0.1).
/// InsightFace's bias of the linear layer is left out, because the batch norm after it cancels it.
/// </summary>
internal static class IResNet
{
    private const int FinalSide = 7;
    private static readonly int[] StageChannels = [64, 128, 256, 512];

    /// <summary>The layers.</summary>
    /// <param name="spec">Name, width 1, embedding size.</param>
    /// <param name="blocks">Blocks in each of the four stages.</param>
    /// <param name="seed">Seed of the weights.</param>
    public static IEnumerable<Layer> Create(BackboneSpec spec, IReadOnlyList<int> blocks, long seed)
    {
        using WeightInitializer init = new(seed, convolutionDeviation: 0.1);
        int channels = StageChannels[0];
        List<Layer> layers = [new ConvNorm(init, 3, channels, kernel: 3, padding: 1), new PRelu(channels)]; // [B, 64, 112, 112]
        for (int stage = 0; stage < StageChannels.Length; stage++)
        {
            for (int block = 0; block < blocks[stage]; block++)
            {
                layers.Add(Block(init, channels, StageChannels[stage], stride: block == 0 ? 2 : 1));
                channels = StageChannels[stage];
            }
        }

        // [B, 512, 7, 7]
        layers.Add(new EmbeddingHead(init, channels, FinalSide * FinalSide, spec.EmbeddingSize, normalizeMap: true)); // [B, D]
        return layers;
    }

    /// <summary>
    /// BN, 3x3 conv, BN, PReLU, 3x3 conv (with the stride), BN, plus the input, projected by a 1x1 conv and BN where its shape changes.
    /// The first batch norm stays a node of its own in ONNX: the zero padding comes after it, so folding it would be wrong at the border.
    /// </summary>
    private static Residual Block(WeightInitializer init, int inputs, int outputs, int stride) => new(
        new Chain(
            new BatchNorm(inputs),
            new ConvNorm(init, inputs, outputs, kernel: 3, padding: 1),
            new PRelu(outputs),
            new ConvNorm(init, outputs, outputs, kernel: 3, stride, padding: 1)),
        stride != 1 || inputs != outputs ? new ConvNorm(init, inputs, outputs, kernel: 1, stride) : null);
}
