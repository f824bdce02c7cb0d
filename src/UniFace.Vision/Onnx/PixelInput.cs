using System.Buffers;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace UniFace.Vision.Onnx;

/// <summary>Turns faces into the input tensor of a model. Thread-safe.</summary>
internal abstract class PixelInput
{
    /// <summary>The input of a model.</summary>
    public static PixelInput Create(OnnxModelShape shape, ModelManifest manifest) => shape.InputType switch
    {
        TensorElementType.UInt8 => new PixelInput<byte>(shape, manifest, value => (byte)value),
        TensorElementType.Float16 => new PixelInput<Float16>(shape, manifest, value => (Float16)value),
        _ => new PixelInput<float>(shape, manifest, value => value),
    };

    /// <summary>Runs a model on some faces, and again on the mirrored faces if its manifest says so.</summary>
    /// <param name="faces">Faces of the model's size.</param>
    /// <param name="first">The first face to use.</param>
    /// <param name="count">The number of faces.</param>
    /// <param name="batch">The size of the tensor's first dimension; the last face is repeated beyond the count.</param>
    /// <param name="run">Called with a tensor of [batch, 3, H, W] or [batch, H, W, 3].</param>
    public abstract void Run(IReadOnlyList<RgbImage> faces, int first, int count, int batch, Action<OrtValue> run);
}

/// <inheritdoc/>
internal sealed class PixelInput<T>(OnnxModelShape shape, ModelManifest manifest, Func<float, T> convert) : PixelInput
    where T : unmanaged
{
    private readonly int width = manifest.InputWidth, height = manifest.InputHeight, passes = manifest.FlipSum ? 2 : 1;
    private readonly bool channelsLast = shape.ChannelsLast;
    private readonly PixelWriter<T> writer =
        new(pixel => convert(manifest.Normalization.Apply(pixel)), manifest.ColorOrder, shape.ChannelsLast);

    /// <inheritdoc/>
    public override void Run(IReadOnlyList<RgbImage> faces, int first, int count, int batch, Action<OrtValue> run)
    {
        int size = 3 * width * height;
        long[] dimensions = channelsLast ? [batch, height, width, 3] : [batch, 3, height, width];

        // Rented, because megabytes per run would keep the collector busy.
        T[] rented = ArrayPool<T>.Shared.Rent(batch * size);
        try
        {
            Memory<T> tensor = rented.AsMemory(0, batch * size);
            for (int pass = 0; pass < passes; pass++)
            {
                for (int i = 0; i < batch; i++)
                {
                    writer.Write(faces[first + Math.Min(i, count - 1)], tensor.Span.Slice(i * size, size), width, height, mirrored: pass == 1);
                }

                using OrtValue input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, tensor, dimensions);
                run(input);
            }
        }
        finally
        {
            ArrayPool<T>.Shared.Return(rented);
        }
    }
}
