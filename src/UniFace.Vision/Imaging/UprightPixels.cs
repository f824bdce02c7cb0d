namespace UniFace.Vision.Imaging;

/// <summary>Turns decoded rows upright by the EXIF orientation.</summary>
internal static class UprightPixels
{
    /// <summary>Copies stored RGBA rows to the upright RGB image. The eight orientations are mirrors along x and y, and a swap of the two.</summary>
    public static void Place(ReadOnlySpan<byte> rgba, int first, int rows, RgbImage image, int orientation, bool opaque)
    {
        bool swap = orientation >= 5, mirrorX = orientation is 2 or 3 or 6 or 7, mirrorY = orientation is 3 or 4 or 7 or 8;
        int width = swap ? image.Height : image.Width;
        byte[] rgb = image.Pixels;
        Vector128<byte> fourPixels = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
        int from = 0;
        for (int y = first; y < first + rows; y++)
        {
            // The stored row y is row or column y of the upright image, before mirroring.
            int uprightX = swap ? (mirrorX ? image.Width - 1 - y : y) : (mirrorX ? image.Width - 1 : 0);
            int uprightY = swap ? (mirrorY ? image.Height - 1 : 0) : (mirrorY ? image.Height - 1 - y : y);
            int to = ((uprightY * image.Width) + uprightX) * 3;
            int step = swap ? (mirrorY ? -3 : 3) * image.Width : (mirrorX ? -3 : 3);
            int x = 0;
            for (; opaque && step == 3 && x + 6 <= width; x += 4, from += 16, to += 12)
            {
                // Writes 16 bytes; the next pixels overwrite the last four.
                Vector128.Shuffle(Vector128.Create(rgba.Slice(from, 16)), fourPixels).CopyTo(rgb, to);
            }

            for (; x < width; x++, from += 4, to += step)
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
    }

    private static byte OverWhite(int value, int alpha) => (byte)((((value * alpha) + (255 * (255 - alpha))) + 127) / 255);
}
