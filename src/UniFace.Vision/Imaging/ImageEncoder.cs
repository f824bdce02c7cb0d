namespace UniFace.Vision.Imaging;

/// <summary>Encodes images as files.</summary>
internal static class ImageEncoder
{
    /// <summary>The JPEG quality of crops. With full color resolution it has no measurable effect on embeddings.</summary>
    public const int CropQuality = 97;

    /// <summary>JPEG with full color resolution (4:4:4).</summary>
    /// <param name="image">The image.</param>
    /// <param name="quality">1 to 100.</param>
    public static byte[] Jpeg(RgbImage image, int quality = CropQuality)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(quality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 100);
        SKJpegEncoderOptions options = new(quality, SKJpegEncoderDownsample.Downsample444, SKJpegEncoderAlphaOption.Ignore);
        return Encode(image, (pixels, stream) => pixels.Encode(stream, options));
    }

    /// <summary>PNG, lossless.</summary>
    public static byte[] Png(RgbImage image) => Encode(image, (pixels, stream) => pixels.Encode(stream, SKPngEncoderOptions.Default));

    private static byte[] Encode(RgbImage image, Func<SKPixmap, SKWStream, bool> encode)
    {
        using SKBitmap bitmap = image.ToBitmap();
        using SKPixmap pixels = bitmap.PeekPixels();
        using SKDynamicMemoryWStream stream = new();
        if (!encode(pixels, stream))
        {
            throw new InvalidOperationException($"SkiaSharp could not encode an image of {image.Width}x{image.Height}.");
        }

        using SKData data = stream.DetachAsData();
        return data.ToArray();
    }
}
