using SkiaSharp;
using UniFace.Faces;

namespace UniFace.Vision.Imaging;

/// <summary>Encodes pictures as files.</summary>
public static class ImageEncoder
{
    /// <summary>The JPEG quality of crops: with full colour resolution it costs an embedding nothing that can be measured.</summary>
    public const int CropQuality = 97;

    /// <summary>JPEG with full colour resolution (4:4:4).</summary>
    /// <param name="image">The picture.</param>
    /// <param name="quality">1 to 100.</param>
    public static byte[] Jpeg(RgbImage image, int quality = CropQuality)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        return Encode(image, (pixels, stream) => pixels.Encode(stream, new SKJpegEncoderOptions(quality, SKJpegEncoderDownsample.Downsample444, SKJpegEncoderAlphaOption.Ignore)));
    }

    /// <summary>PNG, lossless.</summary>
    public static byte[] Png(RgbImage image) => Encode(image, (pixels, stream) => pixels.Encode(stream, SKPngEncoderOptions.Default));

    private static unsafe byte[] Encode(RgbImage image, Func<SKPixmap, SKWStream, bool> encode)
    {
        ArgumentNullException.ThrowIfNull(image);
        byte[] rgba = ToRgba(image);
        fixed (byte* bytes = rgba)
        {
            using SKPixmap pixels = new(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque), (nint)bytes, image.Width * 4);
            using SKDynamicMemoryWStream stream = new();
            if (!encode(pixels, stream))
            {
                throw new InvalidOperationException($"SkiaSharp could not encode a picture of {image.Width}x{image.Height}.");
            }

            using SKData data = stream.DetachAsData();
            return data.ToArray();
        }
    }

    private static byte[] ToRgba(RgbImage image)
    {
        byte[] rgba = GC.AllocateUninitializedArray<byte>(checked(image.Width * image.Height * 4));
        byte[] rgb = image.Pixels;
        for (int from = 0, to = 0; from < rgb.Length; from += 3, to += 4)
        {
            rgba[to] = rgb[from];
            rgba[to + 1] = rgb[from + 1];
            rgba[to + 2] = rgb[from + 2];
            rgba[to + 3] = 255;
        }

        return rgba;
    }
}
