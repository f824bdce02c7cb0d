namespace UniFace.Training.Data;

/// <summary>The augmentations; each changes the image in place.</summary>
internal static class Augmentations
{
    /// <summary>Mirrors the image left to right.</summary>
    public static void Mirror(RgbImage image)
    {
        Span<Pixel> pixels = Pixels(image.Pixels);
        for (int y = 0; y < image.Height; y++)
        {
            pixels.Slice(y * image.Width, image.Width).Reverse();
        }
    }

    /// <summary>Moves the content right and down by whole pixels; the border pixels are repeated.</summary>
    public static void Shift(RgbImage image, int right, int down)
    {
        Span<Pixel> from = Pixels([.. image.Pixels]), to = Pixels(image.Pixels);
        for (int y = 0; y < image.Height; y++)
        {
            int row = Math.Clamp(y - down, 0, image.Height - 1) * image.Width;
            for (int x = 0; x < image.Width; x++)
            {
                to[(y * image.Width) + x] = from[row + Math.Clamp(x - right, 0, image.Width - 1)];
            }
        }
    }

    /// <summary>Scales brightness (to black), contrast (to the mean luma) and saturation (to each pixel's luma); 1 changes nothing.</summary>
    public static void Color(RgbImage image, double brightness, double contrast, double saturation)
    {
        byte[] pixels = image.Pixels;
        double sum = 0;
        for (int i = 0; i < pixels.Length; i += 3)
        {
            sum += Luma(pixels[i], pixels[i + 1], pixels[i + 2]);
        }

        float gain = (float)(contrast * brightness);
        float offset = (float)((1 - contrast) * brightness * (sum / (pixels.Length / 3)));
        float keep = (float)saturation;
        for (int i = 0; i < pixels.Length; i += 3)
        {
            float gray = Luma(pixels[i], pixels[i + 1], pixels[i + 2]) * (1 - keep);
            for (int c = i; c < i + 3; c++)
            {
                pixels[c] = Round(((gray + (keep * pixels[c])) * gain) + offset);
            }
        }
    }

    /// <summary>Gaussian blur with a deviation in pixels; the border pixels are repeated.</summary>
    public static void Blur(RgbImage image, double deviation)
    {
        int radius = (int)Math.Ceiling(3 * deviation);
        float[] kernel = new float[(2 * radius) + 1];
        for (int i = 0; i < kernel.Length; i++)
        {
            kernel[i] = (float)Math.Exp(-(i - radius) * (i - radius) / (2 * deviation * deviation));
        }

        float total = kernel.Sum();
        int width = image.Width;
        int height = image.Height;
        float[] across = new float[image.Pixels.Length]; // [height, width, 3]
        for (int y = 0; y < height; y++)
        {
            for (int i = 0; i < kernel.Length; i++)
            {
                float weight = kernel[i] / total;
                for (int x = 0; x < width; x++)
                {
                    int from = ((y * width) + Math.Clamp(x + i - radius, 0, width - 1)) * 3;
                    int to = ((y * width) + x) * 3;
                    across[to] += weight * image.Pixels[from];
                    across[to + 1] += weight * image.Pixels[from + 1];
                    across[to + 2] += weight * image.Pixels[from + 2];
                }
            }
        }

        float[] row = new float[3 * width];
        for (int y = 0; y < height; y++)
        {
            Array.Clear(row);
            for (int i = 0; i < kernel.Length; i++)
            {
                float weight = kernel[i] / total;
                ReadOnlySpan<float> from = across.AsSpan(Math.Clamp(y + i - radius, 0, height - 1) * row.Length, row.Length);
                for (int x = 0; x < row.Length; x++)
                {
                    row[x] += weight * from[x];
                }
            }

            for (int x = 0; x < row.Length; x++)
            {
                image.Pixels[(y * row.Length) + x] = Round(row[x]);
            }
        }
    }

    /// <summary>Scales the image down by a factor and back up.</summary>
    public static void LowResolution(RgbImage image, double factor)
    {
        int width = Math.Max((int)(image.Width * factor), 1);
        int height = Math.Max((int)(image.Height * factor), 1);
        RgbImage small = ImageResize.To(image, width, height);
        ImageResize.To(small, image.Width, image.Height).Pixels.CopyTo(image.Pixels, 0);
    }

    /// <summary>Turns, scales and moves the image about its center, see <see cref="AugmentOptions.Warp"/>.</summary>
    public static void Warp(RgbImage image, SeededRandom random)
    {
        double angle = random.Between(-15, 15) * Math.PI / 180, scale = Math.Exp(random.Between(-0.165, 0.165));
        double right = random.Between(-0.08, 0.08) * image.Width, down = random.Between(-0.08, 0.08) * image.Height;
        double x = (image.Width - 1) / 2.0, y = (image.Height - 1) / 2.0;
        SimilarityTransform map = SimilarityTransform.About(scale, angle, (x, y), (x + right, y + down));
        ImageWarp.Warp(image, map, image.Width, image.Height).Pixels.CopyTo(image.Pixels, 0);
    }

    /// <summary>Blends in another image of the same size.</summary>
    /// <param name="image">The image.</param>
    /// <param name="other">The other one.</param>
    /// <param name="share">Its share, 0 to 1.</param>
    public static void Mix(RgbImage image, RgbImage other, double share)
    {
        float part = (float)share;
        for (int i = 0; i < image.Pixels.Length; i++)
        {
            image.Pixels[i] = Round(((1 - part) * image.Pixels[i]) + (part * other.Pixels[i]));
        }
    }

    /// <summary>Fills a rectangle of 2 to 30 % of the area, sides from 1:3 to 3:1, with one random color.</summary>
    public static void Erase(RgbImage image, SeededRandom random)
    {
        double area = random.Between(0.02, 0.3) * image.Width * image.Height;
        double aspect = Math.Exp(random.Between(-Math.Log(3), Math.Log(3)));
        int width = Math.Clamp((int)Math.Round(Math.Sqrt(area * aspect)), 1, image.Width);
        int height = Math.Clamp((int)Math.Round(Math.Sqrt(area / aspect)), 1, image.Height);
        int left = random.Next(image.Width - width + 1);
        int top = random.Next(image.Height - height + 1);
        Pixel color = new((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256));
        for (int y = top; y < top + height; y++)
        {
            Pixels(image.Pixels).Slice((y * image.Width) + left, width).Fill(color);
        }
    }

    /// <summary>Luma of a color, 0 to 255 (ITU-R BT.601).</summary>
    private static float Luma(byte red, byte green, byte blue) => (0.299f * red) + (0.587f * green) + (0.114f * blue);

    private static Span<Pixel> Pixels(byte[] values) => MemoryMarshal.Cast<byte, Pixel>(values.AsSpan());

    private static byte Round(float value) => (byte)Math.Clamp(value + 0.5f, 0, 255);

    private readonly record struct Pixel(byte Red, byte Green, byte Blue);
}
