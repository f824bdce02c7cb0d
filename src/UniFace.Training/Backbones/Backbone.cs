using System.Text.RegularExpressions;

namespace UniFace.Training.Backbones;

/// <summary>Name and sizes of a backbone.</summary>
/// <param name="Name">A name from the registry, for example mobilefacenet or iresnet50.</param>
/// <param name="Width">Factor on the channel counts; must be 1 for families without a width.</param>
/// <param name="EmbeddingSize">Values per embedding.</param>
public sealed record BackboneSpec(string Name, double Width = 1, int EmbeddingSize = 512)
{
    /// <summary>The form used in manifests and reports, for example "mobilefacenet(width=0.5,embedding=512)".</summary>
    public override string ToString() => FormattableString.Invariant($"{Name}(width={Width},embedding={EmbeddingSize})");

    /// <summary>Parses the form of <see cref="ToString"/>; null if it is another.</summary>
    internal static BackboneSpec? TryParse(string? text)
    {
        Match parts = Regex.Match(text ?? "", @"^([a-z0-9-]{1,40})\(width=([0-9.]{1,10}),embedding=([0-9]{1,5})\)$");
        return parts.Success && double.TryParse(parts.Groups[2].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double width)
            ? new BackboneSpec(parts.Groups[1].Value, width, int.Parse(parts.Groups[3].Value, CultureInfo.InvariantCulture))
            : null;
    }
}

#pragma warning disable CA1720 // The members are named after the types that they stand for.
/// <summary>Type in which convolutions multiply while training.</summary>
public enum Precision
{
    /// <summary>float32.</summary>
    Float32,

    /// <summary>
    /// bfloat16 products with float32 sums (Kalamkar et al. 2019). bfloat16 has float32's exponent, so no loss scale is needed. Weights,
    /// gradients, momentum, the operations between convolutions, the loss and evaluation stay float32.
    /// </summary>
    BFloat16,

    /// <summary>
    /// float16 products with float32 sums (Micikevicius et al. 2018), otherwise as <see cref="BFloat16"/>. float16 ends at 65504 and at 6e-8, so
    /// gradients are multiplied by a loss scale that adapts. Emulated on the CPU: slower than float32 there.
    /// </summary>
    Float16,
}
#pragma warning restore CA1720

/// <summary>A network from aligned faces [B, 3, S, S] of its <see cref="Input"/>, usually 112x112 normalized to [-1, 1], to raw embeddings [B, D].</summary>
/// <param name="spec">Name and sizes.</param>
public abstract class Backbone(BackboneSpec spec) : nn.Module<Tensor, Tensor>(spec.Name)
{
    /// <summary>Before the first backbone, libtorch's convolutions are checked.</summary>
    static Backbone() => _ = OneDnn.IsDisabled;

    /// <summary>Name and sizes.</summary>
    public BackboneSpec Spec => spec;

    /// <summary>The faces that it takes.</summary>
    public virtual BackboneInput Input => BackboneInput.Default;

    /// <summary>Sets the type in which convolutions multiply while training.</summary>
    /// <param name="precision">The type.</param>
    /// <param name="device">The device that will train.</param>
    /// <exception cref="UniFaceException">
    /// The processor has no bfloat16 products, so bfloat16 would be slower than float32; or the device computes in another type than the given one.
    /// </exception>
    public void UsePrecision(Precision precision, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (precision == Precision.BFloat16 && device.type == DeviceType.CPU && !HostProcessor.SupportsBFloat16)
        {
            throw new UniFaceException(
                "Precision bfloat16 would be slower than float32 on this processor, which has neither AVX512-BF16 nor AMX; use float32.");
        }

        if (precision != Precision.Float32)
        {
            long[] one = [1, 1], none = [0, 0];
            DeviceProof.RequireRounding(
                device, precision == Precision.Float16 ? ScalarType.Float16 : ScalarType.BFloat16, (x, w) => ConvNorm.Convolve(x, w, one, none, precision));
        }

        foreach (ConvNorm convolution in modules().OfType<ConvNorm>())
        {
            convolution.Precision = precision;
        }
    }

    /// <summary>Called after each layer of a backward pass, where the backbone computes it layer by layer; null for nothing.</summary>
    internal Action? LayerDone { get; set; }

    /// <summary>Lets batch norms take their statistics over the batches of all processes while training.</summary>
    internal void Synchronize(ICommunicator communicator)
    {
        foreach (BatchNorm norm in modules().OfType<BatchNorm>())
        {
            norm.Synchronized = communicator;
        }
    }
}

/// <summary>A backbone that is a chain of layers.</summary>
internal sealed class LayeredBackbone : Backbone, IOnnxLayer
{
    private readonly Chain body;

    public LayeredBackbone(BackboneSpec spec, IEnumerable<Layer> layers, BackboneInput? input = null)
        : base(spec)
    {
        Input = input ?? BackboneInput.Default;
        body = new Chain([.. layers]);
        RegisterComponents();
    }

    public override BackboneInput Input { get; }

    /// <summary>The layers in order.</summary>
    public IReadOnlyList<Layer> Layers => body.Layers;

    /// <summary>
    /// The layers with weights, grouped by the size of their output: a stage ends where the map becomes smaller, and the last is the embedding.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<Layer>> Stages()
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable none = no_grad();
        TapeEngine engine = new(records: false);
        bool wasTraining = training;
        eval(); // Running statistics stay.
        List<(long Side, List<Layer> Layers)> stages = [];
        Tensor map = zeros(1, 3, Input.Side, Input.Side);
        foreach (Layer layer in body.Layers)
        {
            map = layer.Run(map, engine);
            long side = map.Dimensions == 4 ? map.shape[2] : 0;
            if (stages.Count == 0 || stages[^1].Side != side)
            {
                stages.Add((side, []));
            }

            stages[^1].Layers.Add(layer);
        }

        train(wasTraining);
        return [.. stages.Select(s => s.Layers).Where(layers => layers.Any(layer => layer.parameters().Any()))];
    }

    /// <summary>The last layer, if it is linear.</summary>
    public IEmbeddingLayer? EmbeddingLayer => body.Layers[^1] as IEmbeddingLayer;

    /// <summary>Reads the weights of an ONNX file that <see cref="Emit"/> could have written.</summary>
    /// <exception cref="UniFaceException">It is another network.</exception>
    public void Load(OnnxWeights weights)
    {
        body.Load(weights);
        weights.End();
    }

    /// <summary>
    /// Changes the first convolution, after weights were loaded that take other pixels, so that the network takes <see cref="Input"/>. Exact but
    /// at the border, where a convolution adds zeros.
    /// </summary>
    /// <param name="order">The order of colours of the loaded weights.</param>
    /// <param name="normalization">The normalization of the loaded weights.</param>
    public void ConvertInput(ColorOrder order, PixelNormalization normalization)
    {
        if ((order, normalization) == (ColorOrder.Rgb, Input.Normalization) || body.Layers[0] is not ConvNorm first)
        {
            return;
        }

        using NoGradScope scope = new();
        (Tensor weight, Tensor shift) = first.Fold(); // [C, 3, k, k], [C]
        weight = order == ColorOrder.Rgb ? weight : weight.flip(1);
        double offset = (Input.Normalization.Mean - normalization.Mean) / normalization.Deviation;
        first.SetFolded(weight * (Input.Normalization.Deviation / normalization.Deviation), shift + (weight.sum([1, 2, 3]) * offset));
    }

    /// <summary>
    /// Chooses the engine: fused channels-last kernels for float32 on the CPU, libtorch's own operators elsewhere and in evaluation mode
    /// with gradients.
    /// </summary>
    public override Tensor forward(Tensor input)
    {
        if (input.device_type != DeviceType.CPU || input.dtype != ScalarType.Float32 || input.Dimensions != 4)
        {
            return body.forward(input);
        }

        using Tensor images = ChannelsLastView.Arrange(input);
        if (!is_grad_enabled())
        {
            return body.Run(images, new TapeEngine(records: false));
        }

        return training && parameters().FirstOrDefault(p => p.requires_grad) is Parameter anchor
            ? TapeFunction.Run(images, anchor, body.Run, LayerDone)
            : body.forward(images);
    }

    public string Emit(OnnxGraph graph, string input) => body.Emit(graph, input);
}
