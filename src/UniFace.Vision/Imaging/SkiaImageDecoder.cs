using UniFace.Vision.Decoding;

namespace UniFace.Vision.Imaging;

/// <summary>
/// Decodes JPEG, PNG, WebP, BMP and GIF with SkiaSharp, HEIC and AVIF with ImageMagick, and applies the EXIF orientation. Pixel values are those
/// of the file (no color profile is applied, as in training sets decoded with OpenCV or Pillow); transparency is blended with white.
/// Metadata never reaches SkiaSharp, and all decoders of the process share one memory budget: a photo waits until there is room.
/// Thread-safe.
/// </summary>
public sealed class SkiaImageDecoder : IImageDecoder
{
    // Deflate expands one byte to at most 1,032, and a byte holds at most 8 pixels: no PNG, and no photo in any format, is denser.
    private const long MaxPixelsPerByte = 8 * 1032;

    // A file of any length may have as many.
    private const long AlwaysAllowedPixels = 4_000_000;

    // Each scan of a progressive JPEG is a pass over all pixels, however short it is. libjpeg and MozJPEG write about 10 scans.
    private const int MaxScans = 100, MaxScansAtFullSize = 16;

    private const int StripBytes = 1 << 18;

    /// <summary>Images with more pixels are refused by their header, before memory is allocated. 100 million by default.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>
    /// Whether HEIC and AVIF are read. They can contain any number of hidden frames and overlapping tiles, so their memory is bounded but their time
    /// is not: set it to false for images from untrusted senders.
    /// </summary>
    public bool ReadsHeif { get; init; } = true;

    internal MemoryBudget Budget { get; init; } = MemoryBudget.Shared;

    /// <inheritdoc/>
    public RgbImage Decode(ReadOnlyMemory<byte> encoded, string source) => Open(encoded, source).Decode();

    /// <summary>Reads a file's container without decoding the image, and refuses what must not be decoded.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="source">Names it in errors.</param>
    /// <exception cref="UniFaceException">The file is not an image, or more work than one image may take.</exception>
    public EncodedImage Open(ReadOnlyMemory<byte> encoded, string source)
    {
        ImageFormat format = ImageFormat.Detect(encoded.Span);
        if (!format.IsRead || (!ReadsHeif && (format == ImageFormat.Heic || format == ImageFormat.Avif)))
        {
            string expected = ReadsHeif ? ImageFormat.Expected : ImageFormat.ExpectedUntrusted;
            throw new UniFaceException(encoded.IsEmpty
                ? $"{source}: the file is empty, expected {expected}."
                : $"{source}: {format.Description}; expected {expected}: convert it first.");
        }

        ImageContainer container = ImageContainer.Open(format, encoded, source);
        long pixels = (long)container.Width * container.Height;
        string size = $"{container.Width}x{container.Height} pixels";
        if (container.Width < 1 || container.Height < 1)
        {
            throw ImageContainer.Damaged(source, size);
        }

        if (pixels > MaxPixels || pixels > int.MaxValue / 4)
        {
            throw new UniFaceException($"{source}: {size}, more than the limit of {Math.Min(MaxPixels, int.MaxValue / 4)}; scale it down first.");
        }

        if (pixels > Math.Max(AlwaysAllowedPixels, encoded.Length * MaxPixelsPerByte))
        {
            throw new UniFaceException(
                $"{source}: it claims {size} in {encoded.Length} bytes, too few for so many; the file is damaged, or made to exhaust memory.");
        }

        if (container.Scans > MaxScans || container.Scans * pixels > MaxScansAtFullSize * MaxPixels)
        {
            throw new UniFaceException(
                $"{source}: {size} in {container.Scans} scans, more work than one photo may take: at most {MaxScans} scans and " +
                $"{MaxScansAtFullSize * MaxPixels} pixels times scans; save it as a JPEG that is not progressive, or scale it down.");
        }

        return new EncodedImage(Math.Max(1, container.Scans) * pixels, () =>
        {
            // RGB, beside it RGBA as a whole or in strips, and what the decoder takes.
            bool strips = format == ImageFormat.Jpeg;
            using MemoryBudget.Share share = Budget.Acquire((pixels * (strips ? 3 : 7)) + container.DecoderBytes + encoded.Length);
            return format == ImageFormat.Heic || format == ImageFormat.Avif
                ? HeifContainer.Decode(container, format, source) : Decode(container, strips, source);
        });
    }

    private static unsafe RgbImage Decode(ImageContainer container, bool strips, string source)
    {
        fixed (byte* bytes = container.Bytes.Span)
        {
            using SKData data = SKData.Create((nint)bytes, container.Bytes.Length);
            using SKCodec? codec = SKCodec.Create(data);
            (int width, int height) = (container.Width, container.Height);
            if (codec is null || codec.Info.Width != width || codec.Info.Height != height)
            {
                throw ImageContainer.Damaged(source, codec is null ? "its header cannot be read" : "its header says two sizes");
            }

            bool opaque = codec.Info.AlphaType == SKAlphaType.Opaque;
            SKImageInfo info = new(width, height, SKColorType.Rgba8888, opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul, null);
            int rows = strips ? Math.Clamp(StripBytes / (width * 4), 1, height) : height;
            byte[] rgb = GC.AllocateUninitializedArray<byte>(3 * width * height);
            RgbImage image = container.Orientation >= 5 ? new RgbImage(height, width, rgb) : new RgbImage(width, height, rgb);
            byte[] rgba = GC.AllocateUninitializedArray<byte>(rows * width * 4);
            SKCodecResult result;
            fixed (byte* target = rgba)
            {
                result = strips ? codec.StartScanlineDecode(info) : codec.GetPixels(info, (nint)target, width * 4, new SKCodecOptions(SKZeroInitialized.No));
                for (int row = 0; row < height && result == SKCodecResult.Success; row += rows)
                {
                    int count = Math.Min(rows, height - row);
                    if (strips && codec.GetScanlines((nint)target, count, width * 4) != count)
                    {
                        result = SKCodecResult.IncompleteInput;
                    }

                    Place(rgba, row, count, image, container.Orientation, opaque);
                }
            }

            return result == SKCodecResult.Success ? image
                : throw (result is SKCodecResult.IncompleteInput ? ImageContainer.Truncated(source) : ImageContainer.Damaged(source, $"{result}"));
        }
    }

    /// <summary>Copies stored RGBA rows to the upright RGB image. The eight orientations are mirrors along x and y, and a swap of the two.</summary>
    private static void Place(ReadOnlySpan<byte> rgba, int first, int rows, RgbImage image, int orientation, bool opaque)
    {
        bool swap = orientation >= 5, mirrorX = orientation is 2 or 3 or 6 or 7, mirrorY = orientation is 3 or 4 or 7 or 8;
        int width = swap ? image.Height : image.Width;
        byte[] rgb = image.Pixels;
        Vector128<byte> fourPixels = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
        int from = 0;
        for (int y = first; y < first + rows; y++)
        {
            // The stored row y is row or column y of the upright image, before mirroring.
            int uprightX = swap ? (mirrorX ? image.Width - 1 - y : y) : (mirrorX ? image.Width - 1 : 0);
            int uprightY = swap ? (mirrorY ? image.Height - 1 : 0) : (mirrorY ? image.Height - 1 - y : y);
            int to = ((uprightY * image.Width) + uprightX) * 3;
            int step = swap ? (mirrorY ? -3 : 3) * image.Width : (mirrorX ? -3 : 3);
            int x = 0;
            for (; opaque && step == 3 && x + 6 <= width; x += 4, from += 16, to += 12)
            {
                // Writes 16 bytes; the next pixels overwrite the last four.
                Vector128.Shuffle(Vector128.Create(rgba.Slice(from, 16)), fourPixels).CopyTo(rgb, to);
            }

            for (; x < width; x++, from += 4, to += step)
            {
                if (opaque)
                {
                    rgb[to] = rgba[from];
                    rgb[to + 1] = rgba[from + 1];
                    rgb[to + 2] = rgba[from + 2];
                }
                else
                {
                    int alpha = rgba[from + 3];
                    rgb[to] = OverWhite(rgba[from], alpha);
                    rgb[to + 1] = OverWhite(rgba[from + 1], alpha);
                    rgb[to + 2] = OverWhite(rgba[from + 2], alpha);
                }
            }
        }
    }

    private static byte OverWhite(int value, int alpha) => (byte)((((value * alpha) + (255 * (255 - alpha))) + 127) / 255);
}
