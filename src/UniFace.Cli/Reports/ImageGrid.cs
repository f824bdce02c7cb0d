using UniFace.Faces;

namespace UniFace.Cli.Reports;

/// <summary>Several pictures as one: a contact sheet.</summary>
internal static class ImageGrid
{
    /// <summary>Lays pictures of one size out in rows, with a light line between.</summary>
    public static RgbImage Compose(IReadOnlyList<RgbImage> pictures, int columns, int gap = 2)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(columns, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(pictures.Count, 1, nameof(pictures));
        int width = pictures[0].Width, height = pictures[0].Height, rows = (pictures.Count + columns - 1) / columns;
        RgbImage sheet = new((columns * (width + gap)) - gap, (rows * (height + gap)) - gap);
        Array.Fill(sheet.Pixels, (byte)0xF0);
        for (int i = 0; i < pictures.Count; i++)
        {
            RgbImage picture = pictures[i];
            if (picture.Width != width || picture.Height != height)
            {
                throw new ArgumentException($"Picture {i} is {picture.Width}x{picture.Height}, the first is {width}x{height}.", nameof(pictures));
            }

            int left = i % columns * (width + gap), top = i / columns * (height + gap);
            for (int row = 0; row < height; row++)
            {
                Array.Copy(picture.Pixels, 3 * row * width, sheet.Pixels, 3 * (((top + row) * sheet.Width) + left), 3 * width);
            }
        }

        return sheet;
    }
}
