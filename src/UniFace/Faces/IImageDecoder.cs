namespace UniFace.Faces;

/// <summary>Decodes images. Implementations are thread-safe.</summary>
public interface IImageDecoder
{
    /// <summary>Decodes JPEG, PNG, WebP, HEIC, AVIF, BMP or GIF, upright by its EXIF orientation.</summary>
    /// <param name="encoded">The file's bytes.</param>
    /// <param name="source">Name of the image in errors: a path, or a record of a set.</param>
    /// <exception cref="UniFaceException">It is not an image, is truncated, or exceeds the decoder's pixel limit.</exception>
    RgbImage Decode(ReadOnlyMemory<byte> encoded, string source);
}

/// <summary>Finds faces and their landmarks in a photo. Implementations are thread-safe.</summary>
public interface IFaceDetector : IDisposable
{
    /// <summary>Name and the first 12 digits of the model's SHA-256, for reports.</summary>
    string Name { get; }

    /// <summary>All faces found, the most confident first; empty if there is none.</summary>
    IReadOnlyList<DetectedFace> Detect(RgbImage photo);
}
