namespace UniFace.Vision.Quality;

/// <summary>A reason not to enroll a face.</summary>
internal enum QualityFaultKind
{
    /// <summary>Too few pixels.</summary>
    TooSmall,

    /// <summary>Out of focus, moved, or enlarged.</summary>
    Blurred,

    /// <summary>Turned too far to a side.</summary>
    TurnedAway,

    /// <summary>Looks too far up or down.</summary>
    TiltedUpOrDown,

    /// <summary>Tilted too far to a side.</summary>
    Leaning,

    /// <summary>Too little light.</summary>
    TooDark,

    /// <summary>Too much light.</summary>
    TooBright,

    /// <summary>Too flat: fog, backlight, a washed-out copy.</summary>
    TooLittleContrast,
}

/// <summary>A fault of a face.</summary>
/// <param name="Kind">The reason.</param>
/// <param name="Message">One sentence: the measured value, the limit, and what to do.</param>
internal sealed record QualityFault(QualityFaultKind Kind, string Message);

/// <summary>
/// The limits for enrollment. The defaults accept nearly all ordinary photos and refuse those whose embeddings are unreliable;
/// docs/results.md states the share of real photos that they refuse. Probes are not checked.
/// </summary>
internal sealed record QualityOptions
{
    /// <summary>Minimum distance between the eyes in pixels of the photo.</summary>
    public double MinEyeDistance { get; init; } = 20;

    /// <summary>Minimum <see cref="FaceQuality.Sharpness"/>.</summary>
    public double MinSharpness { get; init; } = 0.14;

    /// <summary>Maximum turn to either side in degrees.</summary>
    public double MaxYaw { get; init; } = 35;

    /// <summary>Maximum turn up or down in degrees.</summary>
    public double MaxPitch { get; init; } = 25;

    /// <summary>Maximum tilt in degrees; generous, because alignment corrects it.</summary>
    public double MaxRoll { get; init; } = 45;

    /// <summary>Minimum mean gray value of the face.</summary>
    public double MinBrightness { get; init; } = 40;

    /// <summary>Maximum mean gray value of the face.</summary>
    public double MaxBrightness { get; init; } = 225;

    /// <summary>Minimum standard deviation of the face's gray values.</summary>
    public double MinContrast { get; init; } = 14;
}

/// <summary>
/// Decides whether a face is good enough to enroll. A template is compared with every later probe: one blurred template that
/// resembles many people costs more than another photo. Thread-safe.
/// </summary>
internal sealed class EnrollmentGate
{
    /// <summary>Creates a gate.</summary>
    /// <param name="options">The limits; null for the defaults.</param>
    /// <exception cref="UniFaceException">A limit is not finite or is below 0.</exception>
    public EnrollmentGate(QualityOptions? options = null)
    {
        Options = options ?? new QualityOptions();
        double[] limits =
        [
            Options.MinEyeDistance, Options.MinSharpness, Options.MaxYaw, Options.MaxPitch, Options.MaxRoll,
            Options.MinBrightness, Options.MaxBrightness, Options.MinContrast,
        ];
        if (Array.FindIndex(limits, limit => !double.IsFinite(limit) || limit < 0) is >= 0 and int i)
        {
            throw new UniFaceException(Invariant($"a limit of the quality gate is {limits[i]}: expected a number of at least 0."));
        }
    }

    /// <summary>The limits.</summary>
    public QualityOptions Options { get; }

    /// <summary>All faults of a face; empty if it is good. Values that an aligned image does not have are not checked.</summary>
    public IReadOnlyList<QualityFault> Check(AlignedFace face) => Check(FaceQuality.Measure(face));

    /// <summary>All faults of a face with these values.</summary>
    public IReadOnlyList<QualityFault> Check(FaceQuality quality)
    {
        (double eyes, double sharpness) = (quality.EyeDistance ?? double.MaxValue, quality.Sharpness);
        (double brightness, double contrast) = (quality.Brightness, quality.Contrast);
        (double yaw, double pitch, double roll) = (Math.Abs(quality.Yaw ?? 0), Math.Abs(quality.Pitch ?? 0), Math.Abs(quality.Roll ?? 0));
        string direction = quality.Pitch > 0 ? "down" : "up";
        (bool IsFault, QualityFaultKind Kind, FormattableString Message)[] checks =
        [
            (
                eyes < Options.MinEyeDistance,
                QualityFaultKind.TooSmall,
                $"the face is too small: {eyes:F0} pixels between the eyes, expected at least {Options.MinEyeDistance:F0}; come closer or use a larger photo"),
            (
                brightness < Options.MinBrightness,
                QualityFaultKind.TooDark,
                $"the face is too dark: brightness {brightness:F0} of 255, expected at least {Options.MinBrightness:F0}; add light"),
            (
                brightness > Options.MaxBrightness,
                QualityFaultKind.TooBright,
                $"the face is too bright: brightness {brightness:F0} of 255, expected at most {Options.MaxBrightness:F0}; reduce light or exposure"),
            (
                contrast < Options.MinContrast,
                QualityFaultKind.TooLittleContrast,
                $"the face has too little contrast: {contrast:F0}, expected at least {Options.MinContrast:F0}; avoid backlight, clean the lens"),
            (
                sharpness < Options.MinSharpness,
                QualityFaultKind.Blurred,
                $"the face is blurred: sharpness {sharpness:F3}, expected at least {Options.MinSharpness:F3}; hold still, focus on the face"),
            (
                yaw > Options.MaxYaw,
                QualityFaultKind.TurnedAway,
                $"the face is turned away by about {yaw:F0} degrees, expected at most {Options.MaxYaw:F0}; look into the camera"),
            (
                pitch > Options.MaxPitch,
                QualityFaultKind.TiltedUpOrDown,
                $"the face looks {direction} by about {pitch:F0} degrees, expected at most {Options.MaxPitch:F0}; hold the camera at eye level"),
            (
                roll > Options.MaxRoll,
                QualityFaultKind.Leaning,
                $"the head leans by {roll:F0} degrees, expected at most {Options.MaxRoll:F0}; hold the head, or turn the photo, upright"),
        ];
        return [.. checks.Where(check => check.IsFault).Select(check => new QualityFault(check.Kind, Invariant(check.Message)))];
    }
}
