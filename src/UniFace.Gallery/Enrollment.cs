namespace UniFace.Gallery;

/// <summary>A template to enroll.</summary>
/// <param name="Person">Name or id of the person; the first template enrolls the person.</param>
/// <param name="Embedding">L2-normalized embedding, [D].</param>
/// <param name="Crop">The aligned face as a PNG or JPEG file, for a gallery that keeps crops; empty otherwise.</param>
/// <param name="Source">Where it comes from, e.g. the photo's name; optional.</param>
/// <param name="PhotoSha256">
/// SHA-256 of the photo file's bytes, 64 lower-case hexadecimal digits: a photo is enrolled once per person. If null, the template is always added.
/// </param>
internal sealed record Enrollment(
    string Person,
    ReadOnlyMemory<float> Embedding,
    ReadOnlyMemory<byte> Crop = default,
    string? Source = null,
    string? PhotoSha256 = null);

/// <summary>An enrolled person.</summary>
/// <param name="Name">Name or id.</param>
/// <param name="Templates">Number of templates.</param>
public sealed record GalleryPerson(string Name, int Templates);
