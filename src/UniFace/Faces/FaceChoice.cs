namespace UniFace.Faces;

/// <summary>Which of a photo's faces are taken.</summary>
public enum FaceChoice
{
    /// <summary>One: the main face.</summary>
    Largest,

    /// <summary>All of them.</summary>
    All,
}
