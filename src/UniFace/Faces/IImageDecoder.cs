namespace UniFace.Faces;

/// <summary>Decodes images. Implementations are thread-safe.</summary>
internal interface IImageDecoder
{
    /// <summary>Decodes JPEG, PNG, WebP, HEIC, AVIF, BMP or GIF, upright by its EXIF orientation.</summary>
    /// <param name="encoded">The file's bytes.</param>
    /// <param name="source">Name of the image in errors: a path, or a record of a set.</param>
    /// <exception cref="UniFaceException">It is not an image, is truncated, or exceeds the decoder's pixel limit.</exception>
    RgbImage Decode(ReadOnlyMemory<byte> encoded, string source);

    /// <summary>Opens an image that is decoded as far as it is used: a large photo of a large face at reduced size.</summary>
    /// <param name="encoded">The file's bytes.</param>
    /// <param name="source">Name of the image in errors: a path, or a record of a set.</param>
    /// <exception cref="UniFaceException">It is not an image, is truncated, or exceeds the pixel limit; parts decoded later may throw later.</exception>
    Photo OpenPhoto(ReadOnlyMemory<byte> encoded, string source) => new(Decode(encoded, source));
}

/// <summary>Finds faces and their landmarks in a photo. Implementations are thread-safe.</summary>
public interface IFaceDetector : IDisposable
{
    /// <summary>Name and the first 12 digits of the model's SHA-256, for reports.</summary>
    string Name { get; }

    /// <summary>Whether <see cref="Detect(Photo, FaceChoice)"/> also finds faces on their side and upside down; if not, photos are turned for it.</summary>
    bool FindsTurnedFaces => false;

    /// <summary>All faces found, the most confident first; empty if there is none.</summary>
    IReadOnlyList<DetectedFace> Detect(RgbImage photo);

    /// <summary>
    /// The faces found, in pixels of the photo, the most confident first; empty if there is none. If only the main face is asked for, faces that
    /// are much smaller may be left out.
    /// </summary>
    internal IReadOnlyList<DetectedFace> Detect(Photo photo, FaceChoice choice) => Detect(photo.Whole);
}
