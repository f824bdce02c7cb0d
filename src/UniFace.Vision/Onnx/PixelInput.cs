using System.Buffers;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using UniFace.Faces;
using UniFace.Packages;

namespace UniFace.Vision.Onnx;

/// <summary>Turns faces into the input tensor of a model: element type, layout, colour order, normalisation. Thread-safe.</summary>
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
    /// <param name="batch">The size of the tensor's first dimension; the last face fills the places beyond the count.</param>
    /// <param name="run">Called with a tensor of [batch, 3, H, W] or [batch, H, W, 3].</param>
    public abstract void Run(IReadOnlyList<RgbImage> faces, int first, int count, int batch, Action<OrtValue> run);
}

/// <inheritdoc/>
internal sealed class PixelInput<T> : PixelInput
    where T : unmanaged
{
    private readonly int width, height, red, green, blue, pixelStride;
    private readonly bool channelsLast, flipSum;
    private readonly T[] values; // One for each of the 256 pixel values: faster than a division per pixel.

    public PixelInput(OnnxModelShape shape, ModelManifest manifest, Func<float, T> convert)
    {
        (width, height, channelsLast, flipSum) = (manifest.InputWidth, manifest.InputHeight, shape.ChannelsLast, manifest.FlipSum);
        int channel = channelsLast ? 1 : width * height;
        pixelStride = channelsLast ? 3 : 1;
        (red, green, blue) = manifest.ColorOrder == ColorOrder.Rgb ? (0, channel, 2 * channel) : (2 * channel, channel, 0);
        PixelNormalization normalization = manifest.Normalization;
        values = [.. Enumerable.Range(0, 256).Select(i => convert((i - normalization.Mean) / normalization.Deviation))];
    }

    /// <inheritdoc/>
    public override void Run(IReadOnlyList<RgbImage> faces, int first, int count, int batch, Action<OrtValue> run)
    {
        int size = 3 * width * height;
        long[] shape = channelsLast ? [batch, height, width, 3] : [batch, 3, height, width];

        // Rented, because megabytes per run would keep the collector busy.
        T[] rented = ArrayPool<T>.Shared.Rent(batch * size);
        try
        {
            Memory<T> tensor = rented.AsMemory(0, batch * size);
            for (int pass = 0; pass < (flipSum ? 2 : 1); pass++)
            {
                for (int i = 0; i < batch; i++)
                {
                    Write(faces[first + Math.Min(i, count - 1)], mirrored: pass == 1, tensor.Span.Slice(i * size, size));
                }

                using OrtValue input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, tensor, shape);
                run(input);
            }
        }
        finally
        {
            ArrayPool<T>.Shared.Return(rented);
        }
    }

    private void Write(RgbImage face, bool mirrored, Span<T> target)
    {
        Span<T> reds = target[red..], greens = target[green..], blues = target[blue..];
        ReadOnlySpan<T> table = values;
        ReadOnlySpan<byte> pixels = face.Pixels;
        int from = 0, step = mirrored ? -pixelStride : pixelStride;
        for (int y = 0; y < height; y++)
        {
            int to = ((y * width) + (mirrored ? width - 1 : 0)) * pixelStride;
            for (int x = 0; x < width; x++, from += 3, to += step)
            {
                reds[to] = table[pixels[from]];
                greens[to] = table[pixels[from + 1]];
                blues[to] = table[pixels[from + 2]];
            }
        }
    }
}
