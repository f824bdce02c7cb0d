using UniFace.Data;

namespace UniFace.Vision;

/// <summary>
/// A photo: a path, the bytes of an image file, a stream of them, or a decoded image. Each converts implicitly. A stream is read to its
/// end, once, and not closed. A photo has at most 512 MiB.
/// </summary>
public sealed class ImageSource
{
    private readonly string? path;
    private readonly Stream? stream;
    private readonly ReadOnlyMemory<byte> bytes;

    private ImageSource(string name, string? path = null, Stream? stream = null, ReadOnlyMemory<byte> bytes = default, RgbImage? image = null) =>
        (Name, this.path, this.stream, this.bytes, Image) = (name, path, stream, bytes, image);

    /// <summary>What messages call the photo.</summary>
    public string Name { get; }

    /// <summary>The image, if it is decoded already.</summary>
    internal RgbImage? Image { get; }

    /// <summary>A file.</summary>
    public static implicit operator ImageSource(string path) => new(path, path: path ?? throw new ArgumentNullException(nameof(path)));

    /// <summary>The bytes of an image file.</summary>
    public static implicit operator ImageSource(byte[] bytes) => FromBytes(bytes ?? throw new ArgumentNullException(nameof(bytes)));

    /// <summary>The bytes of an image file.</summary>
    public static implicit operator ImageSource(ReadOnlyMemory<byte> bytes) => FromBytes(bytes);

    /// <summary>A stream of the bytes of an image file.</summary>
    public static implicit operator ImageSource(Stream stream) => FromStream(stream);

    /// <summary>A decoded image.</summary>
    public static implicit operator ImageSource(RgbImage image) =>
        new("the image", image: image ?? throw new ArgumentNullException(nameof(image)));

    /// <summary>The bytes of an image file.</summary>
    /// <param name="bytes">JPEG, PNG, WebP, BMP, GIF, or HEIC.</param>
    /// <param name="name">What messages call it.</param>
    public static ImageSource FromBytes(ReadOnlyMemory<byte> bytes, string name = "the photo") => new(name, bytes: bytes);

    /// <summary>A stream of the bytes of an image file.</summary>
    /// <param name="stream">Read to its end, and not closed.</param>
    /// <param name="name">What messages call it.</param>
    public static ImageSource FromStream(Stream stream, string name = "the photo") =>
        new(name, stream: stream ?? throw new ArgumentNullException(nameof(stream)));

    /// <summary>The bytes of the image file; empty if it is decoded already.</summary>
    /// <exception cref="UniFaceException">The file or the stream cannot be read, is empty, or is larger than a photo may be.</exception>
    internal ReadOnlyMemory<byte> Read() =>
        path is not null ? PhotoSet.ReadPhoto(path) : stream is not null ? PhotoSet.ReadPhoto(stream, Name) : bytes;

    /// <inheritdoc cref="Read"/>
    internal async Task<ReadOnlyMemory<byte>> ReadAsync(CancellationToken cancellationToken)
    {
        if (path is not null)
        {
            return await Task.Run(() => PhotoSet.ReadPhoto(path), cancellationToken).ConfigureAwait(false);
        }

        return stream is not null ? await PhotoSet.ReadPhotoAsync(stream, Name, cancellationToken).ConfigureAwait(false) : bytes;
    }
}
