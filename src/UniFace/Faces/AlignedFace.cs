namespace UniFace.Faces;

/// <summary>A face brought onto the template: what an embedder takes.</summary>
/// <param name="Image">The crop, of the template's size.</param>
/// <param name="Face">Where it was found; null for a picture that was given as aligned.</param>
/// <param name="PhotoToCrop">From pixels of the photo to pixels of the crop.</param>
public sealed record AlignedFace(RgbImage Image, DetectedFace? Face, SimilarityTransform PhotoToCrop)
{
    /// <summary>How many faces the photo shows, this one included.</summary>
    public int FacesInPhoto { get; init; } = 1;

    /// <summary>True for a main face if another face of the photo could be meant as well (<see cref="MainFace.AmbiguousShare"/>).</summary>
    public bool Ambiguous { get; init; }
}
