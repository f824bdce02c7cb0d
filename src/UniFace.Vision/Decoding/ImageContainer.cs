namespace UniFace.Vision.Decoding;

/// <summary>
/// The part of a file that the decoder sees. The header is checked; of the metadata (text, EXIF, color profiles, previews, further images)
/// only the orientation is read, and all of it is dropped, because decoders unpack it without a memory limit.
/// </summary>
/// <param name="Bytes">The file itself if nothing is dropped, otherwise a copy.</param>
/// <param name="Width">Width in pixels before orientation, from the header.</param>
/// <param name="Height">Height in pixels before orientation, from the header.</param>
/// <param name="Orientation">EXIF orientation, 1 to 8.</param>
/// <param name="DecoderBytes">Memory that the decoder needs besides the pixels.</param>
/// <param name="Scans">The number of passes over all pixels.</param>
internal readonly record struct ImageContainer(ReadOnlyMemory<byte> Bytes, int Width, int Height, int Orientation = 1, long DecoderBytes = 0, int Scans = 1)
{
    /// <summary>Opens a file of a supported format.</summary>
    /// <exception cref="UniFaceException">It is truncated or damaged.</exception>
    public static ImageContainer Open(ImageFormat format, ReadOnlyMemory<byte> file, string source) =>
        format == ImageFormat.Jpeg ? JpegContainer.Open(file, source)
        : format == ImageFormat.Png ? PngContainer.Open(file, source)
        : format == ImageFormat.WebP ? WebPContainer.Open(file, source)
        : format == ImageFormat.Heic || format == ImageFormat.Avif ? HeifContainer.Open(file, source)
        : format == ImageFormat.Gif ? GifContainer.Open(file, source)
        : BmpContainer.Open(file, source);

    /// <summary>Opens Skia's decoder of <see cref="Bytes"/>.</summary>
    /// <exception cref="UniFaceException">It cannot read the header, or reads another size.</exception>
    public SKCodec OpenCodec(SKData bytes, string source)
    {
        SKCodec? codec = SKCodec.Create(bytes);
        if (codec is not null && codec.Info.Width == Width && codec.Info.Height == Height)
        {
            return codec;
        }

        codec?.Dispose();
        throw Damaged(source, codec is null ? "its header cannot be read" : "its header says two sizes");
    }

    /// <summary>The error for a file that ends too early.</summary>
    public static UniFaceException Truncated(string source) => new($"{source}: the file ends in the middle of the image; obtain a new copy.");

    /// <summary>The error for a file that violates its format.</summary>
    public static UniFaceException Damaged(string source, string how) => new($"{source}: the image is damaged ({how}); obtain a new copy.");
}

/// <summary>The kept parts of a file, in order: a slice of the file until something is dropped, then a copy.</summary>
internal struct KeptBytes(ReadOnlyMemory<byte> file)
{
    private byte[]? copy;
    private int length;

    /// <summary>The kept bytes.</summary>
    public readonly ReadOnlyMemory<byte> Bytes => copy is null ? file[..length] : copy.AsMemory(0, length);

    /// <summary>Keeps a part after all parts kept before.</summary>
    public void Append(int from, int to)
    {
        if (copy is null && from != length)
        {
            copy = GC.AllocateUninitializedArray<byte>(file.Length);
            file.Span[..length].CopyTo(copy);
        }

        if (copy is not null)
        {
            file.Span[from..to].CopyTo(copy.AsSpan(length));
        }

        length += to - from;
    }
}
