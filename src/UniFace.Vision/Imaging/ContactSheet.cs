namespace UniFace.Vision.Imaging;

/// <summary>Draws many faces in one image, for a quick look.</summary>
internal static class ContactSheet
{
    // As setup/models.sh installs it.
    private const string FontPath = "node_modules/dejavu-fonts-ttf/ttf/DejaVuSans.ttf";

    private const int Cell = 84;
    private const int Gap = 4;
    private const int Margin = 24;
    private const int Header = 34;

    private static readonly SKColor Paper = new(0xFA, 0xFA, 0xF8);
    private static readonly SKColor Ink = new(0x22, 0x22, 0x22);
    private static readonly SKColor Warning = new(0xB0, 0x30, 0x20);

    /// <summary>Draws a sheet as JPEG: the faces under a heading, then the photos left out, if any, under another.</summary>
    /// <param name="heading">The heading of the faces.</param>
    /// <param name="faces">The faces.</param>
    /// <param name="leftOutHeading">The heading of the photos left out.</param>
    /// <param name="leftOut">The photos left out; they are scaled to fit.</param>
    public static byte[] Draw(string heading, IReadOnlyList<RgbImage> faces, string leftOutHeading, IReadOnlyList<RgbImage> leftOut)
    {
        int columns = Math.Clamp((int)Math.Ceiling(Math.Sqrt(faces.Count * 1.5)), 8, 18);
        int width = (2 * Margin) + (columns * (Cell + Gap)) - Gap;
        int faceRows = (faces.Count + columns - 1) / columns, leftOutRows = (leftOut.Count + columns - 1) / columns;
        int height = (2 * Margin) + Header + (faceRows * (Cell + Gap)) + (leftOut.Count > 0 ? Header + (leftOutRows * (Cell + Gap)) : 0);
        using SKBitmap bitmap = SkiaImages.Create(width, height);
        using SKCanvas canvas = new(bitmap);
        canvas.Clear(Paper);
        float y = Margin;
        Section(canvas, heading, Ink, faces, columns, ref y);
        if (leftOut.Count > 0)
        {
            Section(canvas, leftOutHeading, Warning, leftOut, columns, ref y);
        }

        canvas.Flush();
        return ImageEncoder.Jpeg(bitmap.ToRgb(), 92);
    }

    private static void Section(SKCanvas canvas, string heading, SKColor color, IReadOnlyList<RgbImage> images, int columns, ref float y)
    {
        Write(canvas, heading, color, Margin, y + 18);
        y += Header;
        for (int i = 0; i < images.Count; i++)
        {
            Place(canvas, images[i], Margin + (i % columns * (Cell + Gap)), y + (i / columns * (Cell + Gap)));
        }

        y += (images.Count + columns - 1) / columns * (Cell + Gap);
    }

    private static void Place(SKCanvas canvas, RgbImage image, float x, float y)
    {
        float scale = (float)Cell / Math.Max(image.Width, image.Height);
        RgbImage small = ImageResize.To(image, Scaled(image.Width), Scaled(image.Height));
        using SKBitmap bitmap = small.ToBitmap();
        float left = MathF.Round(x + ((Cell - small.Width) / 2f)), top = MathF.Round(y + ((Cell - small.Height) / 2f));
        canvas.DrawBitmap(bitmap, left, top, SKSamplingOptions.Default);

        int Scaled(int side) => Math.Max(1, (int)Math.Round(side * scale));
    }

    // In the font that setup installs, or the system's default; without a font the sheet has no headings.
    private static void Write(SKCanvas canvas, string text, SKColor color, float x, float baseline)
    {
        using SKTypeface? typeface = UniFaceHome.Find(FontPath) is string path ? SKTypeface.FromFile(path) : SKTypeface.FromFamilyName(null);
        if (typeface is null)
        {
            return;
        }

        using SKFont font = new(typeface, 15) { Subpixel = true };
        using SKPaint paint = new() { Color = color, IsAntialias = true };
        canvas.DrawText(text, x, baseline, SKTextAlign.Left, font, paint);
    }
}
