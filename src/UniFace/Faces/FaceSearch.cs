namespace UniFace.Faces;

/// <summary>What a photo gave.</summary>
/// <param name="Faces">The faces taken, aligned; the main one first.</param>
/// <param name="Found">How many the detector found.</param>
/// <param name="TooSmall">How many of them are below the smallest size wanted.</param>
/// <param name="Unsure">How many of them are below the lowest confidence wanted.</param>
public sealed record FaceSearch(IReadOnlyList<AlignedFace> Faces, int Found, int TooSmall, int Unsure);
