using UniFace.Vision.Decoding;

namespace UniFace.Vision.Imaging;

/// <summary>Some pixels of a row or column.</summary>
internal readonly record struct PixelSpan(int From, int Length);

/// <summary>Decodes a rectangle of a JPEG at 1/2^level of its size, strip by strip.</summary>
internal static class JpegDecoder
{
    private const int StripBytes = 1 << 18;

    /// <summary>Decodes a rectangle, upright by the image's orientation.</summary>
    /// <param name="container">The file.</param>
    /// <param name="level">0 to 3.</param>
    /// <param name="columns">The rectangle's columns, in stored pixels of that size.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="source">Names the photo in errors.</param>
    /// <exception cref="UniFaceException">The image is damaged or cut off.</exception>
    public static unsafe RgbImage Decode(ImageContainer container, int level, PixelSpan columns, PixelSpan rows, string source)
    {
        fixed (byte* bytes = container.Bytes.Span)
        {
            using SKData data = SKData.Create((nint)bytes, container.Bytes.Length);
            using SKCodec codec = container.OpenCodec(data, source);
            SKSizeI size = codec.GetScaledDimensions(1f / (1 << level));
            SKImageInfo info = new(size.Width, size.Height, SKColorType.Rgba8888, SKAlphaType.Opaque, null);
            if (columns.From + columns.Length > size.Width || rows.From + rows.Length > size.Height)
            {
                throw new InvalidOperationException($"The codec scales {container.Width}x{container.Height} to {size.Width}x{size.Height} at level {level}.");
            }

            bool swap = container.Orientation >= 5;
            RgbImage image = swap ? new RgbImage(rows.Length, columns.Length) : new RgbImage(columns.Length, rows.Length);
            int strip = Math.Clamp(StripBytes / (size.Width * 4), 1, rows.Length);
            byte[] rgba = GC.AllocateUninitializedArray<byte>(strip * size.Width * 4);
            fixed (byte* target = rgba)
            {
                SKCodecResult result = codec.StartScanlineDecode(info);
                if (result != SKCodecResult.Success)
                {
                    throw ImageContainer.Damaged(source, $"{result}");
                }

                if (rows.From > 0 && !codec.SkipScanlines(rows.From))
                {
                    throw ImageContainer.Truncated(source);
                }

                for (int row = 0; row < rows.Length; row += strip)
                {
                    int count = Math.Min(strip, rows.Length - row);
                    if (codec.GetScanlines((nint)target, count, size.Width * 4) != count)
                    {
                        throw ImageContainer.Truncated(source);
                    }

                    for (int y = 1; y < count && columns.Length < size.Width; y++)
                    {
                        Buffer.BlockCopy(rgba, ((y * size.Width) + columns.From) * 4, rgba, ((y * columns.Length) + columns.From) * 4, columns.Length * 4);
                    }

                    UprightPixels.Place(rgba.AsSpan(columns.From * 4), row, count, image, container.Orientation, opaque: true);
                }
            }

            return image;
        }
    }
}
