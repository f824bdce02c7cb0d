using UniFace.Vision.Decoding;

namespace UniFace.Vision.Imaging;

/// <summary>
/// Decodes JPEG, PNG, WebP, BMP and GIF with SkiaSharp, HEIC and AVIF with ImageMagick, and applies the EXIF orientation. Pixel values are those
/// of the file (no color profile is applied, as in training sets decoded with OpenCV or Pillow); transparency is blended with white.
/// Metadata never reaches SkiaSharp, and all decoders of the process share one memory budget: a photo waits until there is room.
/// Thread-safe.
/// </summary>
internal sealed class SkiaImageDecoder : IImageDecoder
{
    // Deflate expands one byte to at most 1,032, and a byte holds at most 8 pixels: no PNG, and no photo in any format, is denser.
    private const long MaxPixelsPerByte = 8 * 1032;

    // A file of any length may have as many.
    private const long AlwaysAllowedPixels = 4_000_000;

    // Each scan of a progressive JPEG is a pass over all pixels, however short it is. libjpeg and MozJPEG write about 10 scans.
    private const int MaxScans = 100, MaxScansAtFullSize = 16;

    /// <summary>Images with more pixels are refused by their header, before memory is allocated. 100 million by default.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>
    /// Whether HEIC and AVIF are read. They can contain any number of hidden frames and overlapping tiles, so their memory is bounded but their time
    /// is not: set it to false for images from untrusted senders.
    /// </summary>
    public bool ReadsHeif { get; init; } = true;

    internal MemoryBudget Budget { get; init; } = MemoryBudget.Shared;

    /// <summary>
    /// The limit of <see cref="OpenPhoto"/> for a JPEG that is not progressive: above <see cref="MaxPixels"/> it is decoded only at reduced size and
    /// in parts. Two billion by default.
    /// </summary>
    public long MaxReducedPixels { get; init; } = 2_000_000_000;

    /// <inheritdoc/>
    public RgbImage Decode(ReadOnlyMemory<byte> encoded, string source) => Open(encoded, source, MaxPixels).Load().Whole;

    /// <inheritdoc/>
    public Photo OpenPhoto(ReadOnlyMemory<byte> encoded, string source) => Open(encoded, source).Load();

    /// <summary>Reads a file's container without decoding the image, and refuses what must not be decoded.</summary>
    /// <param name="encoded">The file.</param>
    /// <param name="source">Names it in errors.</param>
    /// <exception cref="UniFaceException">The file is not an image, or more work than one image may take.</exception>
    public EncodedImage Open(ReadOnlyMemory<byte> encoded, string source) => Open(encoded, source, Math.Max(MaxPixels, MaxReducedPixels));

    private EncodedImage Open(ReadOnlyMemory<byte> encoded, string source, long maxReduced)
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

        bool reducible = format == ImageFormat.Jpeg && container.DecoderBytes == 0;
        long whole = Math.Min(MaxPixels, int.MaxValue / 4), limit = reducible ? maxReduced : whole;
        if (pixels > limit)
        {
            throw new UniFaceException($"{source}: {size}, more than the limit of {limit}; scale it down first.");
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
            if (format == ImageFormat.Jpeg)
            {
                return new JpegPhoto(container, whole, Budget, source);
            }

            // RGB, RGBA, and what the decoder takes.
            using MemoryBudget.Share share = Budget.Acquire((pixels * 7) + container.DecoderBytes + encoded.Length);
            return new Photo(
                format == ImageFormat.Heic || format == ImageFormat.Avif ? HeifContainer.Decode(container, format, source) : Decode(container, source));
        });
    }

    private static unsafe RgbImage Decode(ImageContainer container, string source)
    {
        fixed (byte* bytes = container.Bytes.Span)
        {
            using SKData data = SKData.Create((nint)bytes, container.Bytes.Length);
            using SKCodec codec = container.OpenCodec(data, source);
            (int width, int height) = (container.Width, container.Height);
            bool opaque = codec.Info.AlphaType == SKAlphaType.Opaque;
            SKImageInfo info = new(width, height, SKColorType.Rgba8888, opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul, null);
            byte[] rgb = GC.AllocateUninitializedArray<byte>(3 * width * height);
            RgbImage image = container.Orientation >= 5 ? new RgbImage(height, width, rgb) : new RgbImage(width, height, rgb);
            byte[] rgba = GC.AllocateUninitializedArray<byte>(width * height * 4);
            SKCodecResult result;
            fixed (byte* target = rgba)
            {
                result = codec.GetPixels(info, (nint)target, width * 4, new SKCodecOptions(SKZeroInitialized.No));
            }

            if (result == SKCodecResult.Success)
            {
                UprightPixels.Place(rgba, 0, height, image, container.Orientation, opaque);
                return image;
            }

            throw result is SKCodecResult.IncompleteInput ? ImageContainer.Truncated(source) : ImageContainer.Damaged(source, $"{result}");
        }
    }
}
