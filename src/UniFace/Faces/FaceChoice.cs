namespace UniFace.Faces;

/// <summary>Which faces of a photo are used.</summary>
public enum FaceChoice
{
    /// <summary>The main face.</summary>
    Largest,

    /// <summary>All of them.</summary>
    All,
}
