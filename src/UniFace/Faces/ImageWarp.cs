using System.Numerics;

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
                Vector3 sum = Vector3.Zero;
                for (int j = 0; j < samples; j++)
                {
                    double v = y + (((j + 0.5) / samples) - 0.5);
                    for (int i = 0; i < samples; i++)
                    {
                        double u = x + (((i + 0.5) / samples) - 0.5);
                        (double fromX, double fromY) = inverse.Apply(u, v);
                        sum = AddSample(sum, photo, (float)fromX, (float)fromY);
                    }
                }

                sum *= share;
                (pixels[at], pixels[at + 1], pixels[at + 2]) = (ToByte(sum.X), ToByte(sum.Y), ToByte(sum.Z));
            }
        }

        return output;
    }

    private static byte ToByte(float value) => (byte)Math.Clamp(value + 0.5f, 0, 255);

    private static Vector3 AddSample(Vector3 sum, RgbImage photo, float x, float y)
    {
        // In this form, NaN is outside too.
        if (!(x > -1 && y > -1 && x < photo.Width && y < photo.Height))
        {
            return sum;
        }

        int left = (int)MathF.Floor(x), top = (int)MathF.Floor(y);
        float fx = x - left, fy = y - top;
        return sum + (1 - fx) * (1 - fy) * Pixel(photo, left, top) + fx * (1 - fy) * Pixel(photo, left + 1, top)
            + (1 - fx) * fy * Pixel(photo, left, top + 1) + fx * fy * Pixel(photo, left + 1, top + 1);
    }

    private static Vector3 Pixel(RgbImage photo, int x, int y)
    {
        if ((uint)x >= (uint)photo.Width || (uint)y >= (uint)photo.Height)
        {
            return Vector3.Zero;
        }

        ReadOnlySpan<byte> pixel = photo.Pixels.AsSpan((y * photo.Width + x) * 3, 3);
        return new Vector3(pixel[0], pixel[1], pixel[2]);
    }
}
