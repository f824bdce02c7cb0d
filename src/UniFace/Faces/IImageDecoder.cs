namespace UniFace.Faces;

/// <summary>Turns an encoded picture into pixels. Implementations are thread-safe.</summary>
public interface IImageDecoder
{
    /// <summary>Decodes JPEG, PNG, WebP, HEIC, AVIF, BMP or GIF, upright by its EXIF orientation.</summary>
    /// <param name="encoded">The file's bytes.</param>
    /// <param name="source">What to call the picture in an error: a path, or a record of a set.</param>
    /// <exception cref="UniFaceException">It is no picture, is truncated, or is larger than the decoder's pixel limit.</exception>
    RgbImage Decode(ReadOnlyMemory<byte> encoded, string source);
}

/// <summary>Finds faces and their points in a photo. Implementations are thread-safe.</summary>
public interface IFaceDetector : IDisposable
{
    /// <summary>What the detector is, for reports: name and the first 12 digits of its model's SHA-256.</summary>
    string Name { get; }

    /// <summary>All faces found, the most confident first; empty where there is none.</summary>
    IReadOnlyList<DetectedFace> Detect(RgbImage photo);
}
