using UniFace.Training.Export;
using static TorchSharp.torch;

namespace UniFace.Training.Backbones;

/// <summary>
/// IResNet, the residual network of ArcFace (Deng et al. 2019) as InsightFace trains it: a stem of stride 1, so that 112x112 ends
/// in 7x7, and blocks BN, conv, BN, PReLU, conv, BN. Convolutions start at N(0, 0.1).
/// The linear layer's bias of InsightFace is left out: the batch norm after it takes it away.
/// </summary>
internal sealed class IResNet : Backbone, IOnnxLayer
{
    private const int FinalSide = 7;
    private static readonly int[] StageChannels = [64, 128, 256, 512];

    private readonly Chain body;

    /// <param name="spec">Name, width 1, embedding size.</param>
    /// <param name="blocks">Blocks of each of the four stages.</param>
    /// <param name="seed">Seed of the weights.</param>
    public IResNet(BackboneSpec spec, IReadOnlyList<int> blocks, long seed)
        : base(spec)
    {
        using WeightInitializer init = new(seed, convolutionDeviation: 0.1);
        int channels = StageChannels[0];
        List<Layer> layers = [new ConvNorm(init, 3, channels, kernel: 3, padding: 1), new PRelu(channels)]; // [B, 64, 112, 112]
        for (int stage = 0; stage < StageChannels.Length; stage++)
        {
            for (int block = 0; block < blocks[stage]; block++)
            {
                layers.Add(new IResNetBlock(init, channels, StageChannels[stage], stride: block == 0 ? 2 : 1));
                channels = StageChannels[stage];
            }
        }

        // [B, 512, 7, 7]
        layers.Add(new EmbeddingHead(init, channels, FinalSide * FinalSide, spec.EmbeddingSize, normalizeMap: true)); // [B, D]
        body = new Chain([.. layers]);
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => Embed(input, body);

    public string Emit(OnnxGraph graph, string input) => body.Emit(graph, input);
}

/// <summary>
/// BN, 3x3 conv, BN, PReLU, 3x3 conv (with the stride), BN, plus the input, which a 1x1 conv and BN bring to size where it changes.
/// The first batch norm stays a node of its own in ONNX: zero padding comes after it, so folding it would be wrong at the border.
/// </summary>
internal sealed class IResNetBlock : Layer
{
    private readonly Chain body;
    private readonly ConvNorm? shortcut;

    public IResNetBlock(WeightInitializer init, int inputs, int outputs, int stride)
        : base("block")
    {
        body = new Chain(
            new BatchNorm(inputs),
            new ConvNorm(init, inputs, outputs, kernel: 3, padding: 1),
            new PRelu(outputs),
            new ConvNorm(init, outputs, outputs, kernel: 3, stride, padding: 1));
        shortcut = stride != 1 || inputs != outputs ? new ConvNorm(init, inputs, outputs, kernel: 1, stride) : null;
        RegisterComponents();
    }

    public override Tensor forward(Tensor input) => Run(input, null);

    public override Tensor Run(Tensor input, Tape? tape)
    {
        Tape? inner = tape is null ? null : new(inputNeedsGradient: true);
        Tape? side = tape is null ? null : new(inputNeedsGradient: true);
        using Tensor? identity = shortcut?.Run(input, side);
        Tensor output = body.Run(input, inner, identity ?? input);
        tape?.Add(gradient =>
        {
            using Tensor? ofIdentity = shortcut is null ? null : side!.Backward(gradient);
            return inner!.Backward(gradient)!.add_(ofIdentity ?? gradient);
        });
        return output;
    }

    public override string Emit(OnnxGraph graph, string input) =>
        graph.Add(body.Emit(graph, input), shortcut is null ? input : shortcut.Emit(graph, input));
}
