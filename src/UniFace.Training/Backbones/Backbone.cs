namespace UniFace.Training.Backbones;

/// <summary>Name and sizes of a backbone.</summary>
/// <param name="Name">A name from the registry, for example mobilefacenet or iresnet50.</param>
/// <param name="Width">Factor on the channel counts; must be 1 for families without a width.</param>
/// <param name="EmbeddingSize">Values per embedding.</param>
public sealed record BackboneSpec(string Name, double Width = 1, int EmbeddingSize = 512)
{
    /// <summary>The form used in manifests and reports, for example "mobilefacenet(width=0.5,embedding=512)".</summary>
    public override string ToString() => FormattableString.Invariant($"{Name}(width={Width},embedding={EmbeddingSize})");
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
}
#pragma warning restore CA1720

/// <summary>A network from aligned faces [B, 3, 112, 112], normalized to [-1, 1], to raw embeddings [B, D].</summary>
/// <param name="spec">Name and sizes.</param>
public abstract class Backbone(BackboneSpec spec) : nn.Module<Tensor, Tensor>(spec.Name)
{
    /// <summary>Name and sizes.</summary>
    public BackboneSpec Spec => spec;

    /// <summary>Sets the type in which convolutions multiply while training.</summary>
    /// <param name="precision">The type.</param>
    /// <param name="device">The device that will train.</param>
    /// <exception cref="UniFaceException">The processor has no bfloat16 products, so bfloat16 would be slower than float32.</exception>
    public void UsePrecision(Precision precision, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (precision == Precision.BFloat16 && device.type == DeviceType.CPU && !HostProcessor.MultipliesBFloat16)
        {
            throw new UniFaceException(
                "Precision bfloat16 would be slower than float32 on this processor, which has neither AVX512-BF16 nor AMX; use float32.");
        }

        foreach (ConvNorm convolution in modules().OfType<ConvNorm>())
        {
            convolution.Precision = precision;
        }
    }
}

/// <summary>A backbone that is a chain of layers.</summary>
internal sealed class LayeredBackbone : Backbone, IOnnxLayer
{
    private readonly Chain body;

    public LayeredBackbone(BackboneSpec spec, IEnumerable<Layer> layers)
        : base(spec)
    {
        body = new Chain([.. layers]);
        RegisterComponents();
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
            ? TapeFunction.Run(images, anchor, body.Run)
            : body.forward(images);
    }

    public string Emit(OnnxGraph graph, string input) => body.Emit(graph, input);
}
