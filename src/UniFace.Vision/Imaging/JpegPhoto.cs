using UniFace.Vision.Decoding;

namespace UniFace.Vision.Imaging;

/// <summary>
/// A JPEG decoded as far as it is used: first as a whole at a half, a quarter or an eighth of its size, which skips most of the inverse transform;
/// then only the parts that are looked at more closely.
/// </summary>
/// <param name="container">The file.</param>
/// <param name="maxPixels">A level with more pixels is not held as a whole.</param>
/// <param name="budget">The memory of all decoders.</param>
/// <param name="source">Names the photo in errors.</param>
internal sealed class JpegPhoto(ImageContainer container, long maxPixels, MemoryBudget budget, string source)
    : Photo(container.Orientation >= 5 ? container.Height : container.Width, container.Orientation >= 5 ? container.Width : container.Height)
{
    // Faces are found and most are cropped at this size; smaller ones are decoded again.
    private const int SearchSide = 960;
    private const int MaxLevel = 3;

    /// <inheritdoc/>
    private protected override int FirstLevel => Math.Clamp(int.Log2(Math.Max(Width, Height) / SearchSide), 0, MaxLevel);

    /// <inheritdoc/>
    private protected override int MaxParts => CanHold(0) ? 2 : int.MaxValue;

    /// <inheritdoc/>
    private protected override bool CanHold(int level) => (long)Scaled(Width, level) * Scaled(Height, level) <= maxPixels;

    /// <inheritdoc/>
    private protected override PhotoView Decode(int level, PixelArea? area)
    {
        if (area is null && !CanHold(level))
        {
            throw new UniFaceException($"{source}: {Width}x{Height} pixels, more than the limit of {maxPixels} for a whole photo; scale it down first.");
        }

        bool swap = container.Orientation >= 5;
        PixelArea wanted = area ?? new PixelArea(0, 0, Width, Height);
        (PixelSpan x, double fromX) = Stored(wanted.X, wanted.Width, Width, level, container.Orientation is 2 or 3 or 6 or 7);
        (PixelSpan y, double fromY) = Stored(wanted.Y, wanted.Height, Height, level, container.Orientation is 3 or 4 or 7 or 8);
        RgbImage image;
        using (budget.Acquire(((long)x.Length * y.Length * 3) + container.DecoderBytes + container.Bytes.Length))
        {
            image = JpegDecoder.Decode(container, level, swap ? y : x, swap ? x : y, source);
        }

        // The center of a level's pixel is between those of the pixels that it covers.
        double scale = 1.0 / (1 << level), middle = ((1 << level) - 1) / 2.0;
        return new PhotoView(image, new SimilarityTransform(scale, 0, -scale * (fromX + middle), -scale * (fromY + middle)));
    }

    private static int Scaled(int side, int level) => (side + (1 << level) - 1) >> level;

    /// <summary>The stored pixels of a level along one side, and the photo's pixel at which their image begins.</summary>
    private static (PixelSpan Span, double From) Stored(int start, int length, int side, int level, bool mirrored)
    {
        int first = mirrored ? side - start - length : start;
        int from = first >> level, to = Math.Min(Scaled(first + length, level), Scaled(side, level));
        return (new PixelSpan(from, to - from), mirrored ? side - ((long)to << level) : from << level);
    }
}
