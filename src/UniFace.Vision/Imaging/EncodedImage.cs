namespace UniFace.Vision.Imaging;

/// <summary>An image whose container has been read and accepted, but not decoded.</summary>
public sealed class EncodedImage
{
    private readonly Func<RgbImage> decode;

    internal EncodedImage(long work, Func<RgbImage> decode) => (Work, this.decode) = (work, decode);

    /// <summary>The work of decoding it, in pixels times passes over them (a progressive JPEG has many).</summary>
    public long Work { get; }

    /// <summary>Decodes it.</summary>
    /// <exception cref="UniFaceException">The image is damaged.</exception>
    public RgbImage Decode() => decode();
}
