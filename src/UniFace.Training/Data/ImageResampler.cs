using UniFace.Faces;

namespace UniFace.Training.Data;

/// <summary>Brings images to another size. Pixel centers map by the ratio of the sides, as OpenCV and PIL have it.</summary>
internal static class ImageResampler
{
    /// <summary>
    /// Resizes with a triangle filter that widens when it shrinks (bilinear when growing, antialiased when shrinking).
    /// </summary>
    public static RgbImage Resize(RgbImage image, int width, int height)
    {
        Taps[] across = Filter(image.Width, width);
        Taps[] down = Filter(image.Height, height);
        float[] rows = new float[image.Height * width * 3]; // [source height, width, 3]
        for (int y = 0; y < image.Height; y++)
        {
            ReadOnlySpan<byte> source = image.Pixels.AsSpan(y * image.Width * 3, image.Width * 3);
            Span<float> target = rows.AsSpan(y * width * 3, width * 3);
            for (int x = 0; x < width; x++)
            {
                Taps taps = across[x];
                float red = 0;
                float green = 0;
                float blue = 0;
                for (int i = 0; i < taps.Weights.Length; i++)
                {
                    ReadOnlySpan<byte> pixel = source.Slice((taps.First + i) * 3, 3);
                    red += taps.Weights[i] * pixel[0];
                    green += taps.Weights[i] * pixel[1];
                    blue += taps.Weights[i] * pixel[2];
                }

                target[3 * x] = red;
                target[(3 * x) + 1] = green;
                target[(3 * x) + 2] = blue;
            }
        }

        RgbImage result = new(width, height);
        float[] sum = new float[width * 3];
        for (int y = 0; y < height; y++)
        {
            Array.Clear(sum);
            Taps taps = down[y];
            for (int i = 0; i < taps.Weights.Length; i++)
            {
                ReadOnlySpan<float> row = rows.AsSpan((taps.First + i) * width * 3, sum.Length);
                float weight = taps.Weights[i];
                for (int x = 0; x < sum.Length; x++)
                {
                    sum[x] += weight * row[x];
                }
            }

            Span<byte> target = result.Pixels.AsSpan(y * width * 3, width * 3);
            for (int x = 0; x < sum.Length; x++)
            {
                target[x] = (byte)Math.Clamp(sum[x] + 0.5f, 0, 255);
            }
        }

        return result;
    }

    private static Taps[] Filter(int source, int target)
    {
        double ratio = (double)source / target;
        double radius = Math.Max(ratio, 1);
        Taps[] filter = new Taps[target];
        for (int i = 0; i < target; i++)
        {
            double center = ((i + 0.5) * ratio) - 0.5;
            int first = Math.Max((int)Math.Ceiling(center - radius), 0);
            int last = Math.Min((int)Math.Floor(center + radius), source - 1);
            float[] weights = new float[last - first + 1];
            double sum = 0;
            for (int j = first; j <= last; j++)
            {
                double weight = Math.Max(0, 1 - (Math.Abs(j - center) / radius));
                weights[j - first] = (float)weight;
                sum += weight;
            }

            for (int j = 0; j < weights.Length; j++)
            {
                weights[j] = (float)(weights[j] / sum);
            }

            filter[i] = new Taps(first, weights);
        }

        return filter;
    }

    private readonly record struct Taps(int First, float[] Weights);
}
