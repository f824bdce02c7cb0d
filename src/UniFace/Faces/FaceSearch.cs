namespace UniFace.Faces;

/// <summary>Which faces of a photo are used.</summary>
internal enum FaceChoice
{
    /// <summary>The main face.</summary>
    Largest,

    /// <summary>All of them.</summary>
    All,
}

/// <summary>The faces of a photo.</summary>
/// <param name="Faces">The selected faces, aligned; the main one first.</param>
/// <param name="Found">Number of faces that the detector found.</param>
/// <param name="TooSmall">Number of them below the minimum size.</param>
/// <param name="Unsure">Number of them below the minimum confidence.</param>
internal sealed record FaceSearch(IReadOnlyList<AlignedFace> Faces, int Found, int TooSmall, int Unsure);
