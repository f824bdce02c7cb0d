namespace UniFace.Faces;

/// <summary>A part of a photo at some size.</summary>
/// <param name="Image">Its pixels.</param>
/// <param name="FromPhoto">From pixels of the photo to pixels of the image.</param>
internal sealed record PhotoView(RgbImage Image, SimilarityTransform FromPhoto);

/// <summary>A rectangle of whole pixels.</summary>
internal readonly record struct PixelArea(int X, int Y, int Width, int Height);

/// <summary>
/// An upright photo and its halved copies, made on demand: a small window and the whole of a huge photo cost the same to resample, and neither
/// aliases. A decoder may derive from it to decode only the sizes and parts that are used. Not thread-safe.
/// </summary>
public class Photo
{
    private const int MaxHeldParts = 8;

    private readonly List<PhotoView?> levels = [];
    private readonly List<(int Level, PixelArea Area, PhotoView View)> parts = [];

    /// <summary>A decoded photo.</summary>
    public Photo(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        (Width, Height) = (image.Width, image.Height);
        levels.Add(new PhotoView(image, SimilarityTransform.Identity));
    }

    /// <summary>A photo that a derived class decodes on demand.</summary>
    /// <param name="width">Its width in pixels.</param>
    /// <param name="height">Its height in pixels.</param>
    private protected Photo(int width, int height) => (Width, Height) = (width, height);

    /// <summary>Width of the photo in pixels.</summary>
    public int Width { get; }

    /// <summary>Height of the photo in pixels.</summary>
    public int Height { get; }

    /// <summary>The whole photo in its own size.</summary>
    /// <exception cref="UniFaceException">It cannot be decoded, or is too large to be held as a whole.</exception>
    public RgbImage Whole => Level(0).Image;

    /// <summary>The level that is decoded first; smaller ones are halved from it.</summary>
    private protected virtual int FirstLevel => 0;

    /// <summary>The number of rectangles of a level worth decoding before the whole level is decoded; 0 if the derived class does not decode parts.</summary>
    private protected virtual int MaxParts => 0;

    /// <summary>Whether a level is held as a whole.</summary>
    private protected virtual bool CanHold(int level) => true;

    /// <summary>The whole photo at 1/2^level of its size.</summary>
    /// <exception cref="UniFaceException">It cannot be decoded, or is too large to be held as a whole.</exception>
    internal PhotoView Level(int level)
    {
        while (levels.Count <= level)
        {
            levels.Add(null);
        }

        if (levels[level] is PhotoView view)
        {
            return view;
        }

        bool halve = level > FirstLevel || levels.Take(level).Any(finer => finer is not null);
        return levels[level] = halve ? Half(Level(level - 1)) : Decode(level, null);
    }

    /// <summary>The part of the photo from which an output can be resampled with one bilinear sample per pixel.</summary>
    /// <param name="photoToOutput">From the photo to the output.</param>
    /// <param name="width">Width of the output in pixels.</param>
    /// <param name="height">Height of the output in pixels.</param>
    /// <param name="smallest">The output has at least this many pixels, and less than twice as many, per pixel of the view, along a side.</param>
    /// <exception cref="UniFaceException">The photo cannot be decoded.</exception>
    internal PhotoView View(SimilarityTransform photoToOutput, int width, int height, double smallest = 0.6)
    {
        int level = 0;
        for (double scale = photoToOutput.Scale; scale < smallest && level < 30; level++)
        {
            scale *= 2;
        }

        if (level >= FirstLevel || MaxParts == 0 || levels.Take(level + 1).Any(finer => finer is not null))
        {
            return Level(level);
        }

        PixelArea area = Area(photoToOutput, width, height, margin: 4 << level);
        foreach ((int of, PixelArea covered, PhotoView view) in parts)
        {
            if (of == level && area.X >= covered.X && area.Y >= covered.Y
                && area.X + area.Width <= covered.X + covered.Width && area.Y + area.Height <= covered.Y + covered.Height)
            {
                return view;
            }
        }

        bool many = parts.Count(part => part.Level == level) >= MaxParts || 4L * area.Width * area.Height > (long)Width * Height;
        if (many && CanHold(level))
        {
            return Level(level);
        }

        if (parts.Count >= MaxHeldParts)
        {
            parts.RemoveAt(0);
        }

        // A little more than is asked for: the next look at the same face is not quite in the same place.
        area = Area(photoToOutput, width, height, margin: Math.Max(area.Width, area.Height) / 6);
        PhotoView part = Decode(level, area);
        parts.Add((level, area, part));
        return part;
    }

    /// <summary>Resamples the photo: bilinear, one sample per pixel.</summary>
    /// <param name="photoToOutput">From the photo to the output.</param>
    /// <param name="width">Width of the output in pixels.</param>
    /// <param name="height">Height of the output in pixels.</param>
    /// <param name="border">The pixels outside of the photo.</param>
    /// <exception cref="UniFaceException">The photo cannot be decoded.</exception>
    internal RgbImage Warp(SimilarityTransform photoToOutput, int width, int height, CropBorder border = CropBorder.Black)
    {
        PhotoView view = View(photoToOutput, width, height);
        return ImageWarp.Warp(view.Image, view.FromPhoto.Inverse().Then(photoToOutput), width, height, antiAlias: false, border);
    }

    /// <summary>Decodes the photo, or a part of it, at 1/2^level of its size. The view may be larger than the part.</summary>
    /// <param name="level">At most <see cref="FirstLevel"/>.</param>
    /// <param name="area">The part, in pixels of the photo, inside it; null for all.</param>
    private protected virtual PhotoView Decode(int level, PixelArea? area) => throw new NotSupportedException("A decoded photo has level 0.");

    /// <summary>The mean of each 2x2 block; an odd last row or column counts twice.</summary>
    internal static RgbImage Half(RgbImage image)
    {
        RgbImage half = new((image.Width + 1) / 2, (image.Height + 1) / 2);
        byte[] from = image.Pixels, to = half.Pixels;
        int whole = image.Width / 2;
        for (int y = 0; y < half.Height; y++)
        {
            ReadOnlySpan<byte> top = from.AsSpan(2 * y * image.Width * 3, image.Width * 3);
            ReadOnlySpan<byte> bottom = from.AsSpan(Math.Min((2 * y) + 1, image.Height - 1) * image.Width * 3, image.Width * 3);
            Span<byte> row = to.AsSpan(y * half.Width * 3, half.Width * 3);
            int left = 0, at = 0;
            for (int x = 0; x < whole; x++, left += 6, at += 3)
            {
                row[at] = (byte)((top[left] + top[left + 3] + bottom[left] + bottom[left + 3] + 2) / 4);
                row[at + 1] = (byte)((top[left + 1] + top[left + 4] + bottom[left + 1] + bottom[left + 4] + 2) / 4);
                row[at + 2] = (byte)((top[left + 2] + top[left + 5] + bottom[left + 2] + bottom[left + 5] + 2) / 4);
            }

            for (; at < row.Length; at++, left++)
            {
                row[at] = (byte)((top[left] + bottom[left] + 1) / 2);
            }
        }

        return half;
    }

    // Pixel centers: x of the half is 2 x + 0.5 of the whole.
    private static PhotoView Half(PhotoView view) => new(Half(view.Image), view.FromPhoto.Then(new SimilarityTransform(0.5, 0, -0.25, -0.25)));

    /// <summary>The part of the photo that an output shows, with a margin; at least one pixel.</summary>
    private PixelArea Area(SimilarityTransform photoToOutput, int width, int height, int margin)
    {
        SimilarityTransform back = photoToOutput.Inverse();
        (double X, double Y)[] corners = [back.Apply(0, 0), back.Apply(width, 0), back.Apply(0, height), back.Apply(width, height)];
        int left = Clamp(corners.Min(c => c.X) - margin, Width - 1), right = Clamp(corners.Max(c => c.X) + margin, Width - 1);
        int top = Clamp(corners.Min(c => c.Y) - margin, Height - 1), bottom = Clamp(corners.Max(c => c.Y) + margin, Height - 1);
        return new PixelArea(left, top, right - left + 1, bottom - top + 1);

        static int Clamp(double value, int largest) => (int)Math.Clamp(double.IsFinite(value) ? value : 0, 0, largest);
    }
}
