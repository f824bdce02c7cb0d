namespace UniFace.Training.Data;

/// <summary>Augments an image and normalizes it for a backbone. Not thread-safe: it holds working memory.</summary>
internal sealed class Augmenter(AugmentOptions options)
{
    private RgbImage? work;

    /// <summary>
    /// Writes an augmented image as [H, W, 3], normalized to [-1, 1]. The image itself is not changed. The same state of the generator gives
    /// the same values.
    /// </summary>
    public void Apply(RgbImage image, SeededRandom random, Span<float> values)
    {
        // Every probability is drawn for every image, so that the setting of one augmentation does not change the draws of another.
        bool flip = random.NextDouble() < options.Flip;
        bool shift = random.NextDouble() < options.Shift;
        bool color = random.NextDouble() < options.Color;
        bool blur = random.NextDouble() < options.Blur;
        bool lowResolution = random.NextDouble() < options.LowResolution;
        bool erase = random.NextDouble() < options.Erase;
        if (flip || shift || color || blur || lowResolution || erase)
        {
            image = Copy(image);
            if (shift)
            {
                Augmentations.Shift(image, Pixels(image.Width), Pixels(image.Height));
            }

            if (color)
            {
                Augmentations.Color(image, random.Between(0.5, 1.5), random.Between(0.5, 1.5), random.Between(0.5, 1.5));
            }

            if (blur)
            {
                Augmentations.Blur(image, random.Between(0.3, 2));
            }

            if (lowResolution)
            {
                Augmentations.LowResolution(image, random.Between(0.2, 1));
            }

            if (erase)
            {
                Augmentations.Erase(image, random);
            }

            if (flip)
            {
                Augmentations.Mirror(image);
            }
        }

        PixelNormalization.Default.Apply(image.Pixels, values);

        int Pixels(int side)
        {
            int max = Math.Max((int)(side * AugmentOptions.MaxShift), 1);
            return random.Next((2 * max) + 1) - max;
        }
    }

    private RgbImage Copy(RgbImage image)
    {
        if (work is null || work.Width != image.Width || work.Height != image.Height)
        {
            work = new RgbImage(image.Width, image.Height);
        }

        image.Pixels.CopyTo(work.Pixels, 0);
        return work;
    }
}
