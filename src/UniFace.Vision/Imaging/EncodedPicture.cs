namespace UniFace.Vision.Imaging;

/// <summary>A picture whose container has been read and accepted, but not decoded.</summary>
public sealed class EncodedPicture
{
    private readonly Func<RgbImage> decode;
    private readonly Func<Photo> load;

    internal EncodedPicture(long work, Func<RgbImage> decode, Func<Photo> load) => (Work, this.decode, this.load) = (work, decode, load);

    /// <summary>The work of decoding it, in pixels times passes over them (a progressive JPEG has many).</summary>
    public long Work { get; }

    /// <summary>Decodes it.</summary>
    /// <exception cref="UniFaceException">The picture is damaged.</exception>
    public RgbImage Decode() => decode();

    /// <summary>Opens it as a photo that is decoded as far as it is used.</summary>
    /// <exception cref="UniFaceException">The picture is damaged; this may show only when it is used.</exception>
    public Photo Load() => load();
}
