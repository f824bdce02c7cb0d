using UniFace.Faces;

namespace UniFace.Training.Data;

/// <summary>From bytes of interleaved colours to the planes that a backbone takes.</summary>
internal static class PixelPlanes
{
    private static readonly float[] Normalized = [.. Enumerable.Range(0, 256).Select(value => (value - 127.5f) / 127.5f)];

    /// <summary>Writes an image as [3, H, W], red, green, blue, (x - 127.5) / 127.5, mirrored left to right where asked.</summary>
    public static void Write(RgbImage image, bool mirrored, Span<float> planes)
    {
        int size = image.Width * image.Height;
        Span<float> red = planes[..size];
        Span<float> green = planes.Slice(size, size);
        Span<float> blue = planes.Slice(2 * size, size);
        ReadOnlySpan<float> table = Normalized;
        for (int y = 0; y < image.Height; y++)
        {
            ReadOnlySpan<byte> row = image.Pixels.AsSpan(3 * y * image.Width, 3 * image.Width);
            int at = (y * image.Width) + (mirrored ? image.Width - 1 : 0);
            int step = mirrored ? -1 : 1;
            for (int x = 0; x < row.Length - 2; x += 3, at += step)
            {
                red[at] = table[row[x]];
                green[at] = table[row[x + 1]];
                blue[at] = table[row[x + 2]];
            }
        }
    }
}
