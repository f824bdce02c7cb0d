namespace UniFace.Cli.Reports;

/// <summary>Composes images into one.</summary>
internal static class ImageGrid
{
    /// <summary>Arranges images of equal size in rows, separated by a light line.</summary>
    public static RgbImage Compose(IReadOnlyList<RgbImage> images, int columns, int gap = 2)
    {
        int width = images[0].Width, height = images[0].Height, rows = (images.Count + columns - 1) / columns;
        RgbImage sheet = new((columns * (width + gap)) - gap, (rows * (height + gap)) - gap);
        Array.Fill(sheet.Pixels, (byte)0xF0);
        for (int i = 0; i < images.Count; i++)
        {
            int left = i % columns * (width + gap), top = i / columns * (height + gap);
            for (int row = 0; row < height; row++)
            {
                Array.Copy(images[i].Pixels, 3 * row * width, sheet.Pixels, 3 * (((top + row) * sheet.Width) + left), 3 * width);
            }
        }

        return sheet;
    }
}
