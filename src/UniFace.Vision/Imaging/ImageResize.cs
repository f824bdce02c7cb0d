namespace UniFace.Vision.Imaging;

/// <summary>Scales images.</summary>
internal static class ImageResize
{
    /// <summary>
    /// Scales an image with a triangle filter as wide as the reduction: reducing does not alias, and enlarging is bilinear. An image that has the
    /// size already is returned.
    /// </summary>
    public static RgbImage To(RgbImage image, int width, int height)
    {
        if (image.Width == width && image.Height == height)
        {
            return image;
        }

        Taps columns = Taps.Create(image.Width, width), rows = Taps.Create(image.Height, height);
        RgbImage output = new(width, height);
        int stride = width * 3;

        // Rows scaled along x are kept in a ring buffer as tall as the filter, so that a large photo is not copied as a whole.
        float[][] ring = new float[rows.Count][];
        int[] held = new int[rows.Count];
        Array.Fill(held, -1);
        float[] sum = new float[stride];
        for (int y = 0; y < height; y++)
        {
            Array.Clear(sum);
            for (int k = 0; k < rows.Count; k++)
            {
                float weight = rows.Weights[(y * rows.Count) + k];
                if (weight == 0)
                {
                    continue;
                }

                int from = rows.First[y] + k, slot = from % rows.Count;
                if (held[slot] != from)
                {
                    ring[slot] ??= new float[stride];
                    ScaleRow(image.Pixels.AsSpan(from * image.Width * 3, image.Width * 3), columns, ring[slot]);
                    held[slot] = from;
                }

                TensorPrimitives.MultiplyAdd(ring[slot], weight, sum, sum);
            }

            Span<byte> target = output.Pixels.AsSpan(y * stride, stride);
            for (int i = 0; i < stride; i++)
            {
                target[i] = (byte)Math.Clamp(sum[i] + 0.5f, 0, 255);
            }
        }

        return output;
    }

    private static void ScaleRow(ReadOnlySpan<byte> row, Taps columns, float[] target)
    {
        for (int x = 0, to = 0, w = 0; to < target.Length; x++, to += 3)
        {
            float red = 0, green = 0, blue = 0;
            int from = columns.First[x] * 3;
            for (int k = 0; k < columns.Count; k++, w++)
            {
                float weight = columns.Weights[w];
                if (weight != 0)
                {
                    red += weight * row[from];
                    green += weight * row[from + 1];
                    blue += weight * row[from + 2];
                }

                from += 3;
            }

            target[to] = red;
            target[to + 1] = green;
            target[to + 2] = blue;
        }
    }

    /// <summary>The filter of each output position: the first input position, and the weights from there.</summary>
    private sealed record Taps(int Count, int[] First, float[] Weights)
    {
        public static Taps Create(int from, int to)
        {
            double step = (double)from / to, reach = Math.Max(step, 1);
            int count = (int)Math.Ceiling(reach * 2) + 1;
            int[] first = new int[to];
            float[] weights = new float[to * count];
            for (int i = 0; i < to; i++)
            {
                double center = ((i + 0.5) * step) - 0.5;
                first[i] = Math.Max(0, (int)Math.Ceiling(center - reach));
                double total = 0;
                for (int k = 0; k < count && first[i] + k < from; k++)
                {
                    double weight = Math.Max(0, 1 - (Math.Abs(first[i] + k - center) / reach));
                    weights[(i * count) + k] = (float)weight;
                    total += weight;
                }

                for (int k = 0; k < count; k++)
                {
                    weights[(i * count) + k] /= (float)total;
                }
            }

            return new Taps(count, first, weights);
        }
    }
}
