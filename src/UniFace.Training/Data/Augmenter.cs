using UniFace.Faces;

namespace UniFace.Training.Data;

/// <summary>Varies one picture and writes it as a backbone takes it. One a thread: it holds working memory.</summary>
internal sealed class Augmenter(AugmentOptions options)
{
    /// <summary>
    /// Writes a varied picture as [3, H, W], normalised. The picture itself is not changed; the same generator state gives the same values.
    /// </summary>
    public void Write(RgbImage image, SeededRandom random, Span<float> planes)
    {
        bool mirrored = random.NextDouble() < options.Flip;
        PixelPlanes.Write(image, mirrored, planes);
    }
}
