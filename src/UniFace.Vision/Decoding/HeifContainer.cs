using ImageMagick;

namespace UniFace.Vision.Decoding;

/// <summary>
/// HEIC and AVIF (ISO/IEC 23008-12), decoded by ImageMagick's libheif. The format is passed explicitly, so no other ImageMagick reader
/// runs. libheif allocates no more than the declared sizes require, and applies the orientation itself.
/// </summary>
internal static class HeifContainer
{
    // 14.5 measured: planes, RGBA and ImageMagick's copy.
    private const int BytesPerPixel = 16;

    /// <summary>Opens a file; its size is the largest that is declared for any part.</summary>
    /// <exception cref="UniFaceException">It is truncated or damaged, or its metadata is compressed.</exception>
    public static ImageContainer Open(ReadOnlyMemory<byte> file, string source)
    {
        ReadOnlySpan<byte> bytes = file.Span;
        int meta = 0;
        uint length = 0;
        for (long at = 0; at + 8 <= bytes.Length && meta == 0; at += length)
        {
            length = BinaryPrimitives.ReadUInt32BigEndian(bytes[(int)at..]);
            meta = bytes.Slice((int)at + 4, 4).SequenceEqual("meta"u8) ? (int)at : 0;
            if (length < 8 || length > bytes.Length - at)
            {
                throw ImageContainer.Truncated(source);
            }
        }

        ReadOnlySpan<byte> boxes = meta == 0 ? throw ImageContainer.Truncated(source) : bytes.Slice(meta, (int)length);
        if (boxes.IndexOf("deflate\0"u8) >= 0 || boxes.IndexOf("gzip\0"u8) >= 0 || boxes.IndexOf("\0br\0"u8) >= 0)
        {
            throw ImageContainer.Damaged(source, "its metadata is compressed");
        }

        ImageContainer container = new(file, 0, 0);
        for (int next; (next = boxes.IndexOf("ispe"u8)) >= 0 && boxes.Length - next >= 16; boxes = boxes[(next + 4)..])
        {
            int width = (int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32BigEndian(boxes[(next + 8)..]));
            int height = (int)Math.Min(int.MaxValue, BinaryPrimitives.ReadUInt32BigEndian(boxes[(next + 12)..]));
            if ((long)width * height > (long)container.Width * container.Height)
            {
                container = new(file, width, height, DecoderBytes: (long)width * height * BytesPerPixel);
            }
        }

        return container;
    }

    /// <summary>Decodes the main image, upright, with transparency over white.</summary>
    /// <exception cref="UniFaceException">It is damaged.</exception>
    public static RgbImage Decode(ImageContainer container, ImageFormat format, string source)
    {
        try
        {
            using MagickImage image = new();
            image.Read(container.Bytes.Span, format == ImageFormat.Avif ? MagickFormat.Avif : MagickFormat.Heic);
            if (image.HasAlpha)
            {
                image.BackgroundColor = MagickColors.White;
                image.Alpha(AlphaAction.Remove);
            }

            using IUnsafePixelCollection<byte> pixels = image.GetPixelsUnsafe();
            return new RgbImage((int)image.Width, (int)image.Height, pixels.ToByteArray(PixelMapping.RGB)!);
        }
        catch (MagickException e)
        {
            throw new UniFaceException(ImageContainer.Damaged(source, "the decoder refuses it").Message, e);
        }
    }
}
