namespace UniFace.Vision.Imaging;

/// <summary>Converts between RGB images and SkiaSharp's RGBA bitmaps.</summary>
internal static class SkiaImages
{
    /// <summary>An opaque bitmap of a size.</summary>
    public static SKBitmap Create(int width, int height) => new(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));

    /// <summary>Copies an image to a bitmap.</summary>
    public static SKBitmap ToBitmap(this RgbImage image)
    {
        SKBitmap bitmap = Create(image.Width, image.Height);
        Span<byte> rgba = bitmap.GetPixelSpan();
        byte[] rgb = image.Pixels;
        for (int from = 0, to = 0; from < rgb.Length; from += 3, to += 4)
        {
            rgba[to] = rgb[from];
            rgba[to + 1] = rgb[from + 1];
            rgba[to + 2] = rgb[from + 2];
            rgba[to + 3] = 255;
        }

        return bitmap;
    }

    /// <summary>Copies a bitmap to an image, without its alpha.</summary>
    public static RgbImage ToRgb(this SKBitmap bitmap)
    {
        RgbImage image = new(bitmap.Width, bitmap.Height);
        ReadOnlySpan<byte> rgba = bitmap.GetPixelSpan();
        byte[] rgb = image.Pixels;
        for (int from = 0, to = 0; to < rgb.Length; from += 4, to += 3)
        {
            rgb[to] = rgba[from];
            rgb[to + 1] = rgba[from + 1];
            rgb[to + 2] = rgba[from + 2];
        }

        return image;
    }
}
