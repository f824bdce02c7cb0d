using UniFace.Training.Kernels;
using static TorchSharp.torch;

namespace UniFace.Training.Backbones;

/// <summary>Which backbone, in the sizes that are chosen.</summary>
/// <param name="Name">A name of the registry: mobilefacenet, iresnet50 ...</param>
/// <param name="Width">Factor on the channel counts; only families that say so take another than 1.</param>
/// <param name="EmbeddingSize">Values in an embedding.</param>
public sealed record BackboneSpec(string Name, double Width = 1, int EmbeddingSize = 512)
{
    /// <summary>"mobilefacenet(width=0.5)", as manifests and reports show it.</summary>
    public override string ToString() => FormattableString.Invariant($"{Name}(width={Width},embedding={EmbeddingSize})");
}

/// <summary>
/// A network from aligned faces [B, 3, 112, 112], normalised to [-1, 1], to raw embeddings [B, D].
/// </summary>
public abstract class Backbone : nn.Module<Tensor, Tensor>
{
    /// <summary>A backbone of the given specification.</summary>
    protected Backbone(BackboneSpec spec)
        : base((spec ?? throw new ArgumentNullException(nameof(spec))).Name) => Spec = spec;

    /// <summary>What was asked for.</summary>
    public BackboneSpec Spec { get; }

    /// <summary>What its convolutions multiply in while it trains.</summary>
    /// <param name="precision">bfloat16 is float32's range with 8 bits of it.</param>
    /// <param name="device">Where it will train.</param>
    /// <exception cref="UniFaceException">The processor would have to do bfloat16 by way of float32, and slower.</exception>
    public void Train(Precision precision, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (precision == Precision.BFloat16 && device.type == TorchSharp.DeviceType.CPU && !HostProcessor.MultipliesBFloat16)
        {
            throw new UniFaceException("--precision bfloat16: this processor has neither AVX512-BF16 nor AMX, so it would only be slower; leave --precision at float32.");
        }

        foreach (ConvNorm convolution in modules().OfType<ConvNorm>())
        {
            convolution.Precision = precision;
        }
    }

    /// <summary>
    /// Runs layers over pictures. On the CPU the colours of a pixel lie side by side throughout, which convolutions and batch norms
    /// are faster with; a training pass goes back along a tape of its own. Elsewhere libtorch's graph does all.
    /// </summary>
    /// <param name="images">[B, 3, H, W].</param>
    /// <param name="body">The layers.</param>
    private protected Tensor Embed(Tensor images, Layer body)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(body);
        if (images.device_type != TorchSharp.DeviceType.CPU || images.dtype != ScalarType.Float32 || images.Dimensions != 4)
        {
            return body.forward(images);
        }

        using Tensor arranged = ChannelRows.Arrange(images);
        return training && is_grad_enabled() && parameters().FirstOrDefault(p => p.requires_grad) is TorchSharp.Modules.Parameter anchor
            ? TapedPass.Run(arranged, anchor, body)
            : body.forward(arranged);
    }
}
