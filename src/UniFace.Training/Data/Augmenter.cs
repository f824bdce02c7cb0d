namespace UniFace.Training.Data;

/// <summary>Augments images. Thread-safe.</summary>
internal sealed class Augmenter(AugmentOptions options)
{
    /// <summary>The augmented image, or the given one, which is not changed. The same state of the generator gives the same pixels.</summary>
    /// <param name="image">The image.</param>
    /// <param name="random">Draws what is done.</param>
    /// <param name="another">Another image of the set, chosen with the generator; for mixing.</param>
    public RgbImage Apply(RgbImage image, SeededRandom random, Func<SeededRandom, RgbImage> another)
    {
        // Every probability is drawn for every image, so that the setting of one augmentation does not change the draws of another.
        bool flip = random.NextDouble() < options.Flip;
        bool shift = random.NextDouble() < options.Shift;
        bool color = random.NextDouble() < options.Color;
        bool blur = random.NextDouble() < options.Blur;
        bool lowResolution = random.NextDouble() < options.LowResolution;
        bool erase = random.NextDouble() < options.Erase;
        bool mix = options.Mix > 0 && random.NextDouble() < options.Mix; // Not drawn if off, as in runs from before there was mixing.
        bool warp = options.Warp > 0 && random.NextDouble() < options.Warp;
        if (!(flip || shift || color || blur || lowResolution || erase || mix || warp))
        {
            return image;
        }

        image = new RgbImage(image.Width, image.Height, [.. image.Pixels]);
        if (mix)
        {
            Augmentations.Mix(image, another(random), random.Between(0, 0.5));
        }

        if (warp)
        {
            Augmentations.Warp(image, random);
        }

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

        return image;

        int Pixels(int side)
        {
            int max = Math.Max((int)(side * AugmentOptions.MaxShift), 1);
            return random.Next((2 * max) + 1) - max;
        }
    }
}
