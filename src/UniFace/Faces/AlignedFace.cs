namespace UniFace.Faces;

/// <summary>A face aligned to the template: the input of an embedder.</summary>
/// <param name="Image">The crop, of the template's size.</param>
/// <param name="Face">The detected face; null for an image that was given as aligned.</param>
/// <param name="PhotoToCrop">From pixels of the photo to pixels of the crop.</param>
internal sealed record AlignedFace(RgbImage Image, DetectedFace? Face, SimilarityTransform PhotoToCrop)
{
    /// <summary>The template that it is aligned to; null for ArcFace's at the image's size.</summary>
    public AlignmentTemplate? Template { get; init; }

    /// <summary>The face of an image that is aligned already.</summary>
    /// <param name="image">The image.</param>
    /// <param name="template">The template that it is aligned to, as the model takes it.</param>
    /// <param name="name">The image's name in errors.</param>
    /// <exception cref="UniFaceException">It has another size.</exception>
    public static AlignedFace FromImage(RgbImage image, AlignmentTemplate template, string name) =>
        (image.Width, image.Height) == (template.Width, template.Height)
            ? new AlignedFace(image, null, SimilarityTransform.Identity) { Template = template }
            : throw new UniFaceException(
                $"{name}: {image.Width}x{image.Height} pixels, expected an aligned face of {template.Width}x{template.Height}; align a raw photo first, " +
                "or leave out 'aligned'");

    /// <summary>Number of faces in the photo, including this one.</summary>
    public int FacesInPhoto { get; init; } = 1;

    /// <summary>For a main face: whether another face of the photo could be the main one (<see cref="MainFace.AmbiguousShare"/>).</summary>
    public bool Ambiguous { get; init; }

    /// <summary>Score of the liveness check that it passed; null if there was no check.</summary>
    public double? Liveness { get; init; }
}
