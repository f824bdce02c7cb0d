using System.Buffers;

namespace UniFace.Vision.Onnx;

/// <summary>Writes the pixels of an image into a tensor of another element type, layout and color order.</summary>
/// <param name="convert">The tensor value of a pixel value, 0 to 255; called once for each.</param>
/// <param name="order">The color order of the tensor.</param>
/// <param name="channelsLast">[H, W, 3] instead of [3, H, W].</param>
internal sealed class PixelWriter<T>(Func<int, T> convert, ColorOrder order, bool channelsLast)
    where T : unmanaged
{
    private readonly T[] values = [.. Enumerable.Range(0, 256).Select(convert)];

    /// <summary>Calls a network's run with the tensor of one image, in rented memory: a new array of this size would keep the collector busy.</summary>
    /// <param name="image">The image.</param>
    /// <param name="mirrored">Swap left and right.</param>
    /// <param name="run">Gets a tensor of [1, 3, H, W] or [1, H, W, 3].</param>
    public TResult Run<TResult>(RgbImage image, bool mirrored, Func<OrtValue, TResult> run)
    {
        (int width, int height) = (image.Width, image.Height);
        T[] rented = ArrayPool<T>.Shared.Rent(image.Pixels.Length);
        try
        {
            Write(image, rented, width, height, mirrored);
            using OrtValue value = OrtValue.CreateTensorValueFromMemory(
                OrtMemoryInfo.DefaultInstance, rented.AsMemory(0, image.Pixels.Length), channelsLast ? [1, height, width, 3] : [1, 3, height, width]);
            return run(value);
        }
        finally
        {
            ArrayPool<T>.Shared.Return(rented);
        }
    }

    /// <summary>Writes an image to the top left of a tensor; the rest of a larger tensor is left as it is.</summary>
    /// <param name="image">The image.</param>
    /// <param name="tensor">[3, H, W] or [H, W, 3].</param>
    /// <param name="width">W, at least the image's.</param>
    /// <param name="height">H, at least the image's.</param>
    /// <param name="mirrored">Swap left and right.</param>
    public void Write(RgbImage image, Span<T> tensor, int width, int height, bool mirrored = false)
    {
        (int channel, int pixel) = channelsLast ? (1, 3) : (width * height, 1);
        (int red, int blue) = order == ColorOrder.Rgb ? (0, 2 * channel) : (2 * channel, 0);
        Span<T> reds = tensor[red..], greens = tensor[channel..], blues = tensor[blue..];
        ReadOnlySpan<T> table = values;
        ReadOnlySpan<byte> pixels = image.Pixels;
        int from = 0, step = mirrored ? -pixel : pixel;
        for (int y = 0; y < image.Height; y++)
        {
            int to = ((y * width) + (mirrored ? image.Width - 1 : 0)) * pixel;
            for (int x = 0; x < image.Width; x++, from += 3, to += step)
            {
                reds[to] = table[pixels[from]];
                greens[to] = table[pixels[from + 1]];
                blues[to] = table[pixels[from + 2]];
            }
        }
    }
}
