using UniFace.Vision.Quality;

namespace UniFace.AspNetCore.Endpoints;

/// <summary>A point in pixels of the photo.</summary>
/// <param name="X">To the right.</param>
/// <param name="Y">Down.</param>
internal sealed record PointAnswer(float X, float Y);

/// <summary>A face's box in pixels of the photo; may extend beyond it.</summary>
/// <param name="X">Left edge.</param>
/// <param name="Y">Top edge.</param>
/// <param name="Width">Width.</param>
/// <param name="Height">Height.</param>
internal sealed record BoxAnswer(float X, float Y, float Width, float Height);

/// <summary>A reason not to enroll a face.</summary>
/// <param name="Kind">The reason, such as "blurred".</param>
/// <param name="Message">What was measured, what was expected, what to do.</param>
internal sealed record FaultAnswer(QualityFaultKind Kind, string Message);

/// <summary>A face of a photo.</summary>
/// <param name="Box">Where it is; null for a photo sent as an aligned face.</param>
/// <param name="Score">The detector's confidence, 0 to 1; null for an aligned face.</param>
/// <param name="Landmarks">Left eye, right eye, nose, left and right corner of the mouth; left as seen in the image. Null for an aligned face.</param>
/// <param name="Quality">Its quality measurements.</param>
/// <param name="Faults">Reasons not to enroll it; empty for a good face.</param>
/// <param name="Crop">The aligned face as PNG, base64; null if not requested.</param>
internal sealed record FaceAnswer(
    BoxAnswer? Box, double? Score, IReadOnlyList<PointAnswer>? Landmarks, FaceQuality Quality, IReadOnlyList<FaultAnswer> Faults, byte[]? Crop)
{
    private static readonly EnrollmentGate Gate = new();

    /// <summary>Number of faces in the photo, including this one.</summary>
    public int FacesInPhoto { get; init; } = 1;

    /// <summary>True for a main face if another face of the photo is large enough to be the intended one.</summary>
    public bool Ambiguous { get; init; }

    /// <summary>Score of the liveness check that it passed; null if the service has no check, or all faces were asked for.</summary>
    public double? Liveness { get; init; }

    /// <summary>Describes a face.</summary>
    public static FaceAnswer Create(AlignedFace face, bool crop = false)
    {
        FaceQuality quality = FaceQuality.Measure(face);
        DetectedFace? found = face.Face;
        FaceLandmarks? points = found?.Landmarks;
        return new FaceAnswer(
            found is null ? null : new BoxAnswer(found.X, found.Y, found.Width, found.Height),
            found?.Score,
            points is null
                ? null
                : [.. new[] { points.LeftEye, points.RightEye, points.Nose, points.LeftMouth, points.RightMouth }.Select(p => new PointAnswer(p.X, p.Y))],
            quality,
            [.. Gate.Check(quality).Select(f => new FaultAnswer(f.Kind, f.Message))],
            crop ? ImageEncoder.Png(face.Image) : null)
        {
            FacesInPhoto = face.FacesInPhoto,
            Ambiguous = face.Ambiguous,
            Liveness = face.Liveness,
        };
    }
}
