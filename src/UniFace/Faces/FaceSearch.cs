namespace UniFace.Faces;

/// <summary>The faces of a photo.</summary>
/// <param name="Faces">The selected faces, aligned; the main one first.</param>
/// <param name="Found">Number of faces that the detector found.</param>
/// <param name="TooSmall">Number of them below the minimum size.</param>
/// <param name="Unsure">Number of them below the minimum confidence.</param>
public sealed record FaceSearch(IReadOnlyList<AlignedFace> Faces, int Found, int TooSmall, int Unsure);
