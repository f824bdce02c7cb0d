using UniFace.Faces;
using UniFace.Vision.Imaging;
using UniFace.Vision.Quality;

namespace UniFace.Server.Endpoints;

/// <summary>A point in pixels of the photo.</summary>
/// <param name="X">To the right.</param>
/// <param name="Y">Down.</param>
internal sealed record PointAnswer(float X, float Y);

/// <summary>A face's box in pixels of the photo; may lie outside of it.</summary>
/// <param name="X">Left edge.</param>
/// <param name="Y">Top edge.</param>
/// <param name="Width">Width.</param>
/// <param name="Height">Height.</param>
internal sealed record BoxAnswer(float X, float Y, float Width, float Height);

/// <summary>A reason not to enrol a face.</summary>
/// <param name="Kind">Which reason, e.g. "blurred".</param>
/// <param name="Message">What was measured, what was expected, what to do.</param>
internal sealed record FaultAnswer(QualityFaultKind Kind, string Message);

/// <summary>A face of a photo.</summary>
/// <param name="Box">Where it is; null for a picture that was given as aligned.</param>
/// <param name="Score">The detector's confidence, 0 to 1; null likewise.</param>
/// <param name="Landmarks">Left eye, right eye, nose, left and right corner of the mouth; left is the image's. Null likewise.</param>
/// <param name="Quality">What was measured of it.</param>
/// <param name="Faults">Why it should not be enrolled; empty for a good one.</param>
/// <param name="Crop">The aligned face as PNG, base64; null where it was not asked for.</param>
internal sealed record FaceAnswer(BoxAnswer? Box, double? Score, IReadOnlyList<PointAnswer>? Landmarks, FaceQuality Quality, IReadOnlyList<FaultAnswer> Faults, byte[]? Crop)
{
    private static readonly EnrollmentGate Gate = new();

    /// <summary>How many faces the photo shows, this one included.</summary>
    public int FacesInPhoto { get; init; } = 1;

    /// <summary>True for a main face if another face of the photo is large enough to be the one that is meant.</summary>
    public bool Ambiguous { get; init; }

    /// <summary>Tells of a face.</summary>
    public static FaceAnswer Of(AlignedFace face, bool crop = false)
    {
        FaceQuality quality = FaceQuality.Measure(face);
        DetectedFace? found = face.Face;
        return new FaceAnswer(
            found is null ? null : new BoxAnswer(found.X, found.Y, found.Width, found.Height),
            found?.Score,
            found is null ? null : [.. new[] { found.Landmarks.LeftEye, found.Landmarks.RightEye, found.Landmarks.Nose, found.Landmarks.LeftMouth, found.Landmarks.RightMouth }.Select(p => new PointAnswer(p.X, p.Y))],
            quality,
            [.. Gate.Check(quality).Select(f => new FaultAnswer(f.Kind, f.Message))],
            crop ? ImageEncoder.Png(face.Image) : null)
        {
            FacesInPhoto = face.FacesInPhoto,
            Ambiguous = face.Ambiguous,
        };
    }
}
