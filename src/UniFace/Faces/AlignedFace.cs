namespace UniFace.Faces;

/// <summary>A face brought onto the template: what an embedder takes.</summary>
/// <param name="Image">The crop, of the template's size.</param>
/// <param name="Face">Where it was found; null for a picture that was given as aligned.</param>
/// <param name="PhotoToCrop">From pixels of the photo to pixels of the crop.</param>
public sealed record AlignedFace(RgbImage Image, DetectedFace? Face, SimilarityTransform PhotoToCrop);
