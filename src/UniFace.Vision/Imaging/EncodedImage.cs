namespace UniFace.Vision.Imaging;

/// <summary>An image whose container has been read and accepted, but not decoded.</summary>
internal sealed class EncodedImage
{
    private readonly Func<Photo> load;

    internal EncodedImage(long work, Func<Photo> load) => (Work, this.load) = (work, load);

    /// <summary>The work of decoding it, in pixels times passes over them (a progressive JPEG has many).</summary>
    public long Work { get; }

    /// <summary>Opens it as a photo that is decoded as far as it is used.</summary>
    /// <exception cref="UniFaceException">The image is damaged; this may show only when it is used.</exception>
    public Photo Load() => load();
}
