using UniFace.Faces;
using UniFace.Packages;

namespace UniFace.Vision.Onnx;

/// <summary>Pixels to a model's input.</summary>
internal static class PixelTensor
{
    /// <summary>Writes an image as [3, H, W], normalised and in the colour order of a manifest, mirrored left to right or not.</summary>
    public static void Write(RgbImage image, ModelManifest manifest, bool mirrored, Span<float> planes)
    {
        int area = image.Width * image.Height;
        bool rgb = manifest.ColorOrder == ColorOrder.Rgb;
        Span<float> red = planes.Slice(rgb ? 0 : 2 * area, area), green = planes.Slice(area, area), blue = planes.Slice(rgb ? 2 * area : 0, area);
        float mean = manifest.Normalization.Mean, deviation = manifest.Normalization.Deviation;
        Span<float> values = stackalloc float[256]; // a byte has 256 values: a table is quicker than a division a pixel
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (i - mean) / deviation;
        }

        ReadOnlySpan<byte> pixels = image.Pixels;
        int from = 0;
        for (int y = 0; y < image.Height; y++)
        {
            int to = (y * image.Width) + (mirrored ? image.Width - 1 : 0);
            int step = mirrored ? -1 : 1;
            for (int x = 0; x < image.Width; x++, from += 3, to += step)
            {
                red[to] = values[pixels[from]];
                green[to] = values[pixels[from + 1]];
                blue[to] = values[pixels[from + 2]];
            }
        }
    }
}
