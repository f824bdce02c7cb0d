namespace UniFace.Gallery;

/// <summary>All that a gallery stores of a person.</summary>
/// <param name="Name">Name or id.</param>
/// <param name="Templates">Each template, in the order of enrolment.</param>
public sealed record StoredPerson(string Name, IReadOnlyList<StoredTemplate> Templates);

/// <summary>A template as it is stored.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Enrolled">When it was enrolled, UTC; for those of a gallery that kept no times yet, when it began to.</param>
/// <param name="Source">Where it is from; null where that was not said.</param>
/// <param name="Embedding">L2-normalised embedding, [D].</param>
/// <param name="Crop">The aligned face as a PNG or JPEG file; empty where the gallery keeps none.</param>
/// <param name="PhotoSha256">SHA-256 of the photo file's bytes, lower-case hexadecimal; null if it was not given.</param>
public sealed record StoredTemplate(
    long Id,
    DateTimeOffset Enrolled,
    string? Source,
    ReadOnlyMemory<float> Embedding,
    ReadOnlyMemory<byte> Crop,
    string? PhotoSha256 = null);
