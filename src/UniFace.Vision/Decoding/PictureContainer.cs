using UniFace.Faces;

namespace UniFace.Vision.Decoding;

/// <summary>
/// What of a picture's file the decoder gets to see: its header checked, its metadata (text, EXIF, colour profiles, previews, further
/// pictures) read as far as it says which side is up and then left out, because a decoder unpacks it into memory without a bound.
/// </summary>
/// <param name="Bytes">The file itself where nothing is left out, else a copy.</param>
/// <param name="Width">Stored width in pixels, of the header.</param>
/// <param name="Height">Stored height in pixels, of the header.</param>
/// <param name="Orientation">EXIF orientation, 1 to 8.</param>
/// <param name="DecoderBytes">Memory that decoding takes beside the pixels.</param>
/// <param name="Scans">How often the decoder passes over all pixels.</param>
internal readonly record struct PictureContainer(ReadOnlyMemory<byte> Bytes, int Width, int Height, int Orientation = 1, long DecoderBytes = 0, int Scans = 1)
{
    /// <summary>Opens a file of a format that is read.</summary>
    /// <exception cref="UniFaceException">It is cut off or damaged.</exception>
    public static PictureContainer Open(ImageFormat format, ReadOnlyMemory<byte> file, string source) =>
        format == ImageFormat.Jpeg ? JpegContainer.Open(file, source)
        : format == ImageFormat.Png ? PngContainer.Open(file, source)
        : format == ImageFormat.WebP ? WebPContainer.Open(file, source)
        : format == ImageFormat.Heic || format == ImageFormat.Avif ? HeifContainer.Open(file, source)
        : format == ImageFormat.Gif ? GifContainer.Open(file, source)
        : BmpContainer.Open(file, source);

    /// <summary>The error for a file that ends too early.</summary>
    public static UniFaceException CutOff(string source) => new($"{source}: the file ends in the middle of the picture; copy it again.");

    /// <summary>The error for a file that is not what it must be.</summary>
    public static UniFaceException Damaged(string source, string how) => new($"{source}: the picture is damaged ({how}); copy it again.");
}

/// <summary>The kept parts of a file, in order: the file's own memory until something is left out, then a copy.</summary>
internal struct KeptBytes(ReadOnlyMemory<byte> file)
{
    private byte[]? copy;
    private int length;

    /// <summary>What was kept.</summary>
    public readonly ReadOnlyMemory<byte> Bytes => copy is null ? file[..length] : copy.AsMemory(0, length);

    /// <summary>Keeps a part that lies behind all that was kept before.</summary>
    public void Keep(int from, int to)
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
