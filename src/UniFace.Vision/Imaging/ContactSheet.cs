using SkiaSharp;
using UniFace.Faces;
using UniFace.Vision.Detection;

namespace UniFace.Vision.Imaging;

/// <summary>Draws many faces on one picture, for a person to look over in a moment.</summary>
public static class ContactSheet
{
    private const int Cell = 84;
    private const int Gap = 4;
    private const int Margin = 24;
    private const int Header = 34;

    private static readonly SKColor Paper = new(0xFA, 0xFA, 0xF8);
    private static readonly SKColor Ink = new(0x22, 0x22, 0x22);
    private static readonly SKColor Warning = new(0xB0, 0x30, 0x20);

    /// <summary>A sheet as JPEG: faces in rows under a heading, then, where there are any, the photos left out under another.</summary>
    /// <param name="heading">Above the faces.</param>
    /// <param name="faces">The faces.</param>
    /// <param name="leftOutHeading">Above the photos left out.</param>
    /// <param name="leftOut">Photos left out, scaled to fit.</param>
    public static byte[] Draw(string heading, IReadOnlyList<RgbImage> faces, string leftOutHeading, IReadOnlyList<RgbImage> leftOut)
    {
        ArgumentNullException.ThrowIfNull(faces);
        ArgumentNullException.ThrowIfNull(leftOut);
        int columns = Math.Clamp((int)Math.Ceiling(Math.Sqrt(faces.Count * 1.5)), 8, 18);
        int width = (2 * Margin) + (columns * (Cell + Gap)) - Gap;
        int faceRows = (faces.Count + columns - 1) / columns, leftOutRows = (leftOut.Count + columns - 1) / columns;
        int height = (2 * Margin) + Header + (faceRows * (Cell + Gap)) + (leftOut.Count > 0 ? Header + (leftOutRows * (Cell + Gap)) : 0);
        using SKBitmap bitmap = new(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using SKCanvas canvas = new(bitmap);
        canvas.Clear(Paper);
        float y = Margin;
        Section(canvas, heading, Ink, faces, columns, ref y);
        if (leftOut.Count > 0)
        {
            Section(canvas, leftOutHeading, Warning, leftOut, columns, ref y);
        }

        canvas.Flush();
        return ImageEncoder.Jpeg(ToRgb(bitmap), 92);
    }

    private static void Section(SKCanvas canvas, string heading, SKColor color, IReadOnlyList<RgbImage> pictures, int columns, ref float y)
    {
        Write(canvas, heading, color, Margin, y + 18);
        y += Header;
        for (int i = 0; i < pictures.Count; i++)
        {
            Place(canvas, pictures[i], Margin + (i % columns * (Cell + Gap)), y + (i / columns * (Cell + Gap)));
        }

        y += (pictures.Count + columns - 1) / columns * (Cell + Gap);
    }

    private static void Place(SKCanvas canvas, RgbImage picture, float x, float y)
    {
        float scale = (float)Cell / Math.Max(picture.Width, picture.Height);
        RgbImage small = ImageResize.To(picture, Math.Max(1, (int)Math.Round(picture.Width * scale)), Math.Max(1, (int)Math.Round(picture.Height * scale)));
        using SKBitmap bitmap = ToBitmap(small);
        canvas.DrawBitmap(bitmap, (float)Math.Round(x + ((Cell - small.Width) / 2f)), (float)Math.Round(y + ((Cell - small.Height) / 2f)), SKSamplingOptions.Default);
    }

    /// <summary>Text in the font that setup installs, or the system's; where there is none the sheet has no headings.</summary>
    private static void Write(SKCanvas canvas, string text, SKColor color, float x, float baseline)
    {
        using SKTypeface? typeface = ModelStore.Find(ModelStore.FontPath) is string path ? SKTypeface.FromFile(path) : SKTypeface.FromFamilyName(null);
        if (typeface is null)
        {
            return;
        }

        using SKFont font = new(typeface, 15) { Subpixel = true };
        using SKPaint paint = new() { Color = color, IsAntialias = true };
        canvas.DrawText(text, x, baseline, SKTextAlign.Left, font, paint);
    }

    private static SKBitmap ToBitmap(RgbImage image)
    {
        SKBitmap bitmap = new(new SKImageInfo(image.Width, image.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        Span<byte> rgba = bitmap.GetPixelSpan();
        for (int from = 0, to = 0; from < image.Pixels.Length; from += 3, to += 4)
        {
            image.Pixels.AsSpan(from, 3).CopyTo(rgba[to..]);
            rgba[to + 3] = 255;
        }

        return bitmap;
    }

    private static RgbImage ToRgb(SKBitmap bitmap)
    {
        RgbImage image = new(bitmap.Width, bitmap.Height);
        ReadOnlySpan<byte> rgba = bitmap.GetPixelSpan();
        for (int from = 0, to = 0; to < image.Pixels.Length; from += 4, to += 3)
        {
            rgba.Slice(from, 3).CopyTo(image.Pixels.AsSpan(to));
        }

        return image;
    }
}
