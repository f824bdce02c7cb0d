namespace UniFace.Faces;

/// <summary>
/// Brings a face onto a template by the least-squares similarity of its landmarks. Where the detector gives the
/// mouth's center only, four points are fitted: eyes, nose and the middle of the template's mouth corners. Thread-safe.
/// </summary>
public sealed class FaceAligner
{
    /// <summary>An aligner onto the ArcFace template, or another.</summary>
    public FaceAligner(AlignmentTemplate? template = null) => Template = template ?? AlignmentTemplate.ArcFace112;

    /// <summary>What faces are brought onto.</summary>
    public AlignmentTemplate Template { get; }

    /// <summary>The transform from the photo to the crop for a face's landmarks.</summary>
    /// <exception cref="UniFaceException">The landmarks lie on one spot or are not finite.</exception>
    public SimilarityTransform Fit(FaceLandmarks landmarks)
    {
        ArgumentNullException.ThrowIfNull(landmarks);
        FaceLandmarks target = Template.Landmarks;
        return landmarks.MouthIsOnePoint
            ? SimilarityTransform.Fit(
                [landmarks.LeftEye, landmarks.RightEye, landmarks.Nose, landmarks.LeftMouth],
                [target.LeftEye, target.RightEye, target.Nose, Middle(target.LeftMouth, target.RightMouth)])
            : SimilarityTransform.Fit(
                [landmarks.LeftEye, landmarks.RightEye, landmarks.Nose, landmarks.LeftMouth, landmarks.RightMouth],
                [target.LeftEye, target.RightEye, target.Nose, target.LeftMouth, target.RightMouth]);
    }

    /// <summary>Crops a face.</summary>
    /// <exception cref="UniFaceException">The landmarks lie on one spot or are not finite.</exception>
    public AlignedFace Align(RgbImage photo, DetectedFace face)
    {
        ArgumentNullException.ThrowIfNull(face);
        SimilarityTransform transform = Fit(face.Landmarks);
        return new AlignedFace(ImageWarp.Warp(photo, transform, Template.Width, Template.Height), face, transform);
    }

    /// <summary>Whether landmarks are finite and lie on more than one spot, so that a face can be aligned by them.</summary>
    internal static bool CanFit(FaceLandmarks points)
    {
        ReadOnlySpan<Point> all = [points.LeftEye, points.RightEye, points.Nose, points.LeftMouth, points.RightMouth];
        float spread = 0;
        foreach (Point point in all)
        {
            spread += MathF.Abs(point.X - all[0].X) + MathF.Abs(point.Y - all[0].Y);
        }

        return float.IsFinite(spread) && spread > 1;
    }

    private static Point Middle(Point a, Point b) => new((a.X + b.X) / 2, (a.Y + b.Y) / 2);
}
