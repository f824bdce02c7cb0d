namespace UniFace.Faces;

/// <summary>Where a face's points lie in an aligned face.</summary>
/// <param name="Name">Name in a model's manifest.</param>
/// <param name="Width">Width of the aligned face in pixels.</param>
/// <param name="Height">Height of the aligned face in pixels.</param>
/// <param name="Landmarks">The five points in the aligned face.</param>
public sealed record AlignmentTemplate(string Name, int Width, int Height, FaceLandmarks Landmarks)
{
    /// <summary>The 112x112 template of ArcFace (InsightFace), which all our models use.</summary>
    public static AlignmentTemplate ArcFace112 { get; } = new(
        "arcface-112",
        112,
        112,
        new FaceLandmarks(new(38.2946f, 51.6963f), new(73.5318f, 51.5014f), new(56.0252f, 71.7366f), new(41.5493f, 92.3655f), new(70.7299f, 92.2041f)));
}
