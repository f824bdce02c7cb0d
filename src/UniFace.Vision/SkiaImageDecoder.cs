using SkiaSharp;
using UniFace.Faces;

namespace UniFace.Vision;

/// <summary>
/// Decodes JPEG, PNG, WebP and BMP with SkiaSharp, upright by the EXIF orientation. Pixel values are the file's own
/// (no colour profile is applied, as in training sets decoded with OpenCV or Pillow); what is transparent is laid over white.
/// Thread-safe.
/// </summary>
public sealed class SkiaImageDecoder : IImageDecoder
{
    // Deflate makes 1,032 bytes of one, and a byte holds 8 pixels at most: no PNG, and no photo in any format, is denser.
    private const long MostPixelsPerByte = 8 * 1032;

    // Any file may claim as many.
    private const long PixelsOfAnyFile = 4_000_000;

    /// <summary>Pictures of more pixels than this are refused from their header, before memory is taken. 100 million by default.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <inheritdoc/>
    public unsafe RgbImage Decode(ReadOnlyMemory<byte> encoded, string source)
    {
        fixed (byte* bytes = encoded.Span)
        {
            if (encoded.IsEmpty)
            {
                throw new UniFaceException($"{source}: the file is empty, expected a JPEG, PNG, WebP or BMP picture.");
            }

            using SKData data = SKData.Create((nint)bytes, encoded.Length);
            using SKCodec codec = SKCodec.Create(data) ?? throw new UniFaceException($"{source}: not a picture that can be read; expected a whole JPEG, PNG, WebP or BMP file.");
            if (codec.EncodedFormat is not (SKEncodedImageFormat.Jpeg or SKEncodedImageFormat.Png or SKEncodedImageFormat.Webp or SKEncodedImageFormat.Bmp))
            {
                throw new UniFaceException($"{source}: a {codec.EncodedFormat} picture, expected JPEG, PNG, WebP or BMP; convert it first.");
            }

            return Decode(codec, encoded.Length, source);
        }
    }

    private unsafe RgbImage Decode(SKCodec codec, long bytes, string source)
    {
        int width = codec.Info.Width, height = codec.Info.Height;
        long pixels = (long)width * height;
        if (width < 1 || height < 1 || pixels > MaxPixels || pixels > int.MaxValue / 4)
        {
            throw new UniFaceException($"{source}: {width}x{height} pixels, more than the limit of {Math.Min(MaxPixels, int.MaxValue / 4)}; scale it down first.");
        }

        if (pixels > Math.Max(PixelsOfAnyFile, bytes * MostPixelsPerByte))
        {
            throw new UniFaceException($"{source}: it says {width}x{height} pixels in {bytes} bytes, which no photo has; the file is damaged, or made to fill the memory.");
        }

        bool opaque = codec.Info.AlphaType == SKAlphaType.Opaque;
        SKImageInfo info = new(width, height, SKColorType.Rgba8888, opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul, null);
        byte[] rgba = GC.AllocateUninitializedArray<byte>((int)pixels * 4);
        SKCodecResult result;
        fixed (byte* target = rgba)
        {
            result = codec.GetPixels(info, (nint)target, width * 4, new SKCodecOptions(SKZeroInitialized.No));
        }

        if (result != SKCodecResult.Success)
        {
            throw new UniFaceException(result is SKCodecResult.IncompleteInput
                ? $"{source}: the file ends in the middle of the picture; copy it again."
                : $"{source}: the picture is damaged ({result}); copy it again.");
        }

        return Upright(rgba, width, height, codec.EncodedOrigin, opaque);
    }

    /// <summary>RGBA as stored to RGB as seen: the eight orientations are mirrors along x, along y, and a swap of the two.</summary>
    private static RgbImage Upright(byte[] rgba, int width, int height, SKEncodedOrigin origin, bool opaque)
    {
        bool swap = origin is SKEncodedOrigin.LeftTop or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        bool mirrorX = origin is SKEncodedOrigin.TopRight or SKEncodedOrigin.BottomRight or SKEncodedOrigin.RightTop or SKEncodedOrigin.RightBottom;
        bool mirrorY = origin is SKEncodedOrigin.BottomRight or SKEncodedOrigin.BottomLeft or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        RgbImage image = swap ? new RgbImage(height, width) : new RgbImage(width, height);
        byte[] rgb = image.Pixels;
        int from = 0;
        for (int y = 0; y < height; y++)
        {
            // The stored row y is the seen row, or column, y; mirrored afterwards in the seen picture.
            int seenX = swap ? (mirrorX ? image.Width - 1 - y : y) : (mirrorX ? image.Width - 1 : 0);
            int seenY = swap ? (mirrorY ? image.Height - 1 : 0) : (mirrorY ? image.Height - 1 - y : y);
            int to = ((seenY * image.Width) + seenX) * 3;
            int step = swap ? (mirrorY ? -3 : 3) * image.Width : (mirrorX ? -3 : 3);
            for (int x = 0; x < width; x++, from += 4, to += step)
            {
                if (opaque)
                {
                    rgb[to] = rgba[from];
                    rgb[to + 1] = rgba[from + 1];
                    rgb[to + 2] = rgba[from + 2];
                }
                else
                {
                    int alpha = rgba[from + 3];
                    rgb[to] = OverWhite(rgba[from], alpha);
                    rgb[to + 1] = OverWhite(rgba[from + 1], alpha);
                    rgb[to + 2] = OverWhite(rgba[from + 2], alpha);
                }
            }
        }

        return image;
    }

    private static byte OverWhite(int value, int alpha) => (byte)((((value * alpha) + (255 * (255 - alpha))) + 127) / 255);
}
