namespace UniFace.Gallery;

/// <summary>Everything that a gallery stores about a person.</summary>
/// <param name="Name">Name or id.</param>
/// <param name="Templates">The templates in the order of enrollment.</param>
internal sealed record StoredPerson(string Name, IReadOnlyList<StoredTemplate> Templates);

/// <summary>A stored template.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Enrolled">When it was enrolled, UTC; for templates that are older than the gallery's record of times, when that record began.</param>
/// <param name="Source">Where it comes from; null if unknown.</param>
/// <param name="Embedding">L2-normalized embedding, [D].</param>
/// <param name="Crop">The aligned face as a PNG or JPEG file; empty if the gallery keeps none.</param>
/// <param name="PhotoSha256">SHA-256 of the photo file's bytes, lower-case hexadecimal; null if unknown.</param>
internal sealed record StoredTemplate(
    long Id,
    DateTimeOffset Enrolled,
    string? Source,
    ReadOnlyMemory<float> Embedding,
    ReadOnlyMemory<byte> Crop,
    string? PhotoSha256 = null);
