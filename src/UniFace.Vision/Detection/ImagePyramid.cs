namespace UniFace.Vision.Detection;

/// <summary>
/// A photo and its halved copies, created on demand: a small window and the whole of a huge photo cost the same to resample, and
/// neither aliases. Not thread-safe.
/// </summary>
internal sealed class ImagePyramid(RgbImage photo)
{
    private readonly List<RgbImage> levels = [photo];

    /// <summary>Resamples the photo through a transform; black outside.</summary>
    public RgbImage Warp(SimilarityTransform photoToOutput, int width, int height)
    {
        int level = 0;
        SimilarityTransform transform = photoToOutput;
        while (transform.Scale < 0.6)
        {
            level++;
            if (level == levels.Count)
            {
                levels.Add(Half(levels[^1]));
            }

            // Pixel centers: x of the half is 2 x + 0.5 of the photo.
            transform = new SimilarityTransform(2, 0, 0.5, 0.5).Then(transform);
        }

        return ImageWarp.Warp(levels[level], transform, width, height, antiAlias: false);
    }

    /// <summary>The mean of each 2x2 block; an odd last row or column counts twice.</summary>
    internal static RgbImage Half(RgbImage image)
    {
        RgbImage half = new((image.Width + 1) / 2, (image.Height + 1) / 2);
        byte[] from = image.Pixels;
        int to = 0;
        for (int y = 0; y < half.Height; y++)
        {
            int top = 2 * y * image.Width * 3;
            int bottom = Math.Min((2 * y) + 1, image.Height - 1) * image.Width * 3;
            for (int x = 0; x < half.Width; x++)
            {
                int left = 2 * x * 3, right = Math.Min((2 * x) + 1, image.Width - 1) * 3;
                for (int c = 0; c < 3; c++)
                {
                    half.Pixels[to++] = (byte)((from[top + left + c] + from[top + right + c] + from[bottom + left + c] + from[bottom + right + c] + 2) / 4);
                }
            }
        }

        return half;
    }
}
