namespace UniFace.Faces;

/// <summary>
/// A decoded image: 8 bits per channel, red, green and blue interleaved, rows from the top, without padding. It is plain memory and needs no
/// disposal.
/// </summary>
public sealed class RgbImage
{
    /// <summary>A black image of the given size in pixels.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A side is below 1, or the image is over 2^31 bytes.</exception>
    public RgbImage(int width, int height)
        : this(width, height, new byte[Size(width, height)])
    {
    }

    /// <summary>An image over existing pixels; the array is not copied.</summary>
    /// <exception cref="ArgumentException">The array is not 3 * width * height long.</exception>
    public RgbImage(int width, int height, byte[] pixels)
    {
        if (pixels.Length != Size(width, height))
        {
            throw new ArgumentException($"{pixels.Length} bytes given for {width}x{height}x3.", nameof(pixels));
        }

        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>The pixels, [height, width, 3] in red, green, blue order.</summary>
#pragma warning disable CA1819 // The array is the content of the image; copying it for each access would be slow.
    public byte[] Pixels { get; }
#pragma warning restore CA1819

    private static int Size(int width, int height)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        long size = 3L * width * height;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, int.MaxValue, nameof(width));
        return (int)size;
    }
}
