using UniFace.Faces;

namespace UniFace.Training.Data;

/// <summary>Varies one picture and writes it as a backbone takes it. One a thread: it holds working memory.</summary>
internal sealed class Augmenter(AugmentOptions options)
{
    private RgbImage? work;

    /// <summary>
    /// Writes a varied picture as [3, H, W], normalised to [-1, 1]. The picture itself is not changed; the same state of the
    /// generator gives the same values.
    /// </summary>
    public void Write(RgbImage image, SeededRandom random, Span<float> planes)
    {
        // Every probability is drawn for every picture, so that one way's setting does not change another's draws.
        bool flip = random.NextDouble() < options.Flip;
        bool shift = random.NextDouble() < options.Shift;
        bool color = random.NextDouble() < options.Color;
        bool blur = random.NextDouble() < options.Blur;
        bool lowResolution = random.NextDouble() < options.LowResolution;
        bool erase = random.NextDouble() < options.Erase;
        if (shift || color || blur || lowResolution || erase)
        {
            image = Copy(image);
            if (shift)
            {
                ImageVariation.Shift(image, Pixels(image.Width), Pixels(image.Height));
            }

            if (color)
            {
                ImageVariation.Color(image, random.Between(0.5, 1.5), random.Between(0.5, 1.5), random.Between(0.5, 1.5));
            }

            if (blur)
            {
                ImageVariation.Blur(image, random.Between(0.3, 2));
            }

            if (lowResolution)
            {
                ImageVariation.LowResolution(image, random.Between(0.2, 1));
            }

            if (erase)
            {
                ImageVariation.Erase(image, random);
            }
        }

        PixelPlanes.Write(image, flip, planes);

        int Pixels(int side)
        {
            int most = Math.Max((int)(side * AugmentOptions.LargestShift), 1);
            return random.Next((2 * most) + 1) - most;
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
