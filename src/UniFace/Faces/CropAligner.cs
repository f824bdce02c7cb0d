namespace UniFace.Faces;

/// <summary>
/// Aligns a face to a template by the least-squares similarity of its landmarks. If the detector gives only the mouth's center, four points
/// are fitted: eyes, nose and the middle of the template's mouth corners. Thread-safe.
/// </summary>
/// <param name="template">The template that faces are aligned to; that of ArcFace if null.</param>
internal sealed class CropAligner(AlignmentTemplate? template = null)
{
    /// <summary>The template that faces are aligned to.</summary>
    public AlignmentTemplate Template { get; } = template ?? AlignmentTemplate.ArcFace112;

    /// <summary>The transform from the photo to the crop for a face's landmarks.</summary>
    /// <exception cref="UniFaceException">The landmarks coincide or are not finite.</exception>
    public SimilarityTransform Fit(FaceLandmarks landmarks)
    {
        Point[] from = landmarks.ToArray(), to = Template.Landmarks.ToArray();
        return landmarks.MouthIsOnePoint
            ? SimilarityTransform.Fit(from.AsSpan(0, 4), [.. to[..3], new Point((to[3].X + to[4].X) / 2, (to[3].Y + to[4].Y) / 2)])
            : SimilarityTransform.Fit(from, to);
    }

    /// <summary>Crops a face.</summary>
    /// <exception cref="UniFaceException">The landmarks coincide or are not finite.</exception>
    public AlignedFace Align(RgbImage photo, DetectedFace face) => Align(new Photo(photo), face);

    /// <summary>Crops a face.</summary>
    /// <exception cref="UniFaceException">The landmarks coincide or are not finite, or the photo cannot be decoded.</exception>
    public AlignedFace Align(Photo photo, DetectedFace face)
    {
        SimilarityTransform transform = Fit(face.Landmarks);
        PhotoView view = photo.View(transform, Template.Width, Template.Height, smallest: 0.5);
        SimilarityTransform viewToCrop = view.FromPhoto.Inverse().Then(transform);
        bool antiAlias = Template.Sampling == CropSampling.AntiAliased;
        RgbImage crop = ImageWarp.Warp(view.Image, viewToCrop, Template.Width, Template.Height, antiAlias, Template.Border);
        return new AlignedFace(crop, face, transform) { Template = Template };
    }

    /// <summary>Whether a face can be aligned: its landmarks are finite and do not coincide.</summary>
    internal static bool CanFit(FaceLandmarks points)
    {
        Point[] all = points.ToArray();
        float spread = all.Sum(point => MathF.Abs(point.X - all[0].X) + MathF.Abs(point.Y - all[0].Y));
        return float.IsFinite(spread) && spread > 1;
    }
}
