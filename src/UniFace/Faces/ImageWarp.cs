namespace UniFace.Faces;

/// <summary>Resamples an image through a similarity transform.</summary>
public static class ImageWarp
{
    private const int MaxSamples = 16;

    /// <summary>
    /// A new image whose pixel (x, y) is the photo at <paramref name="photoToOutput"/>'s inverse of (x, y): bilinear, black outside.
    /// If the photo is reduced, each output pixel is the mean of a grid of samples, which prevents aliasing; otherwise the grid is one sample,
    /// and the identity returns the photo exactly.
    /// </summary>
    /// <param name="photo">The photo.</param>
    /// <param name="photoToOutput">From pixels of the photo to pixels of the output.</param>
    /// <param name="width">Width of the output in pixels.</param>
    /// <param name="height">Height of the output in pixels.</param>
    /// <param name="antiAlias">False uses one sample per pixel at any scale, like OpenCV's warpAffine.</param>
    public static RgbImage Warp(RgbImage photo, SimilarityTransform photoToOutput, int width, int height, bool antiAlias = true)
    {
        RgbImage output = new(width, height);
        SimilarityTransform inverse = photoToOutput.Inverse();
        int samples = antiAlias ? (int)Math.Clamp(Math.Round(inverse.Scale), 1, MaxSamples) : 1;
        byte[] pixels = output.Pixels;
        float share = 1f / (samples * samples);
        int at = 0;
        for (int y = 0; y < height; y++)
        {
            for (int x = 0; x < width; x++, at += 3)
            {
                float red = 0, green = 0, blue = 0;
                for (int j = 0; j < samples; j++)
                {
                    double v = y + (((j + 0.5) / samples) - 0.5);
                    for (int i = 0; i < samples; i++)
                    {
                        double u = x + (((i + 0.5) / samples) - 0.5);
                        (double fromX, double fromY) = inverse.Apply(u, v);
                        AddSample(photo, (float)fromX, (float)fromY, ref red, ref green, ref blue);
                    }
                }

                pixels[at] = ToByte(red * share);
                pixels[at + 1] = ToByte(green * share);
                pixels[at + 2] = ToByte(blue * share);
            }
        }

        return output;
    }

    private static byte ToByte(float value) => (byte)Math.Clamp(value + 0.5f, 0, 255);

    private static void AddSample(RgbImage photo, float x, float y, ref float red, ref float green, ref float blue)
    {
        // In this form, NaN is outside too.
        if (!(x > -1 && y > -1 && x < photo.Width && y < photo.Height))
        {
            return;
        }

        int left = (int)MathF.Floor(x), top = (int)MathF.Floor(y);
        float fx = x - left, fy = y - top;
        AddPixel(photo, left, top, (1 - fx) * (1 - fy), ref red, ref green, ref blue);
        AddPixel(photo, left + 1, top, fx * (1 - fy), ref red, ref green, ref blue);
        AddPixel(photo, left, top + 1, (1 - fx) * fy, ref red, ref green, ref blue);
        AddPixel(photo, left + 1, top + 1, fx * fy, ref red, ref green, ref blue);
    }

    private static void AddPixel(RgbImage photo, int x, int y, float weight, ref float red, ref float green, ref float blue)
    {
        if ((uint)x >= (uint)photo.Width || (uint)y >= (uint)photo.Height)
        {
            return;
        }

        ReadOnlySpan<byte> pixel = photo.Pixels.AsSpan(((y * photo.Width) + x) * 3, 3);
        red += weight * pixel[0];
        green += weight * pixel[1];
        blue += weight * pixel[2];
    }
}
