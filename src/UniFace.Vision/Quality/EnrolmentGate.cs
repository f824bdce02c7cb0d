using UniFace.Faces;

namespace UniFace.Vision.Quality;

/// <summary>Why a face is not fit to be enrolled.</summary>
public enum QualityFaultKind
{
    /// <summary>Too few pixels.</summary>
    TooSmall,

    /// <summary>Out of focus, moved, or made larger.</summary>
    Blurred,

    /// <summary>Looks too far to a side.</summary>
    TurnedAway,

    /// <summary>Looks too far up or down.</summary>
    TiltedUpOrDown,

    /// <summary>Leans too far to a side.</summary>
    Leaning,

    /// <summary>Too little light.</summary>
    TooDark,

    /// <summary>Too much light.</summary>
    TooBright,

    /// <summary>Flat: fog, backlight, a washed-out copy.</summary>
    TooLittleContrast,
}

/// <summary>One reason, with what was measured and what to do.</summary>
/// <param name="Kind">Which reason.</param>
/// <param name="Message">One sentence for a person: what was measured, what was expected, what to do.</param>
public sealed record QualityFault(QualityFaultKind Kind, string Message);

/// <summary>
/// What a face must have to be enrolled. The defaults keep nearly all ordinary photos and refuse what an embedding cannot
/// be trusted of; docs/results.md says what share of real photos they refuse. Not compared: a probe may be as bad as it likes.
/// </summary>
public sealed record QualityOptions
{
    /// <summary>Pixels of the photo between the eyes, at least.</summary>
    public double MinEyeDistance { get; init; } = 20;

    /// <summary>Lowest <see cref="FaceQuality.Sharpness"/>.</summary>
    public double MinSharpness { get; init; } = 0.14;

    /// <summary>Degrees to either side, at most.</summary>
    public double MaxYaw { get; init; } = 35;

    /// <summary>Degrees up or down, at most.</summary>
    public double MaxPitch { get; init; } = 25;

    /// <summary>Degrees that the head may lean; alignment turns it upright, so this is wide.</summary>
    public double MaxRoll { get; init; } = 45;

    /// <summary>Mean grey value of the face, at least.</summary>
    public double MinBrightness { get; init; } = 40;

    /// <summary>Mean grey value of the face, at most.</summary>
    public double MaxBrightness { get; init; } = 225;

    /// <summary>Standard deviation of the face's grey values, at least.</summary>
    public double MinContrast { get; init; } = 14;
}

/// <summary>
/// Decides whether a face is good enough to be enrolled, and says why not. What is enrolled is compared with everyone later: one
/// blurred template that resembles many people costs more than the asking for another photo. Thread-safe.
/// </summary>
public sealed class EnrolmentGate
{
    /// <summary>A gate.</summary>
    /// <param name="options">What a face must have; null for the defaults.</param>
    /// <exception cref="UniFaceException">A limit is not finite or below 0.</exception>
    public EnrolmentGate(QualityOptions? options = null)
    {
        Options = options ?? new QualityOptions();
        foreach (double limit in (double[])[Options.MinEyeDistance, Options.MinSharpness, Options.MaxYaw, Options.MaxPitch, Options.MaxRoll, Options.MinBrightness, Options.MaxBrightness, Options.MinContrast])
        {
            if (!double.IsFinite(limit) || limit < 0)
            {
                throw new UniFaceException(FormattableString.Invariant($"a limit of the quality gate is {limit}: expected a number of at least 0."));
            }
        }
    }

    /// <summary>What a face must have.</summary>
    public QualityOptions Options { get; }

    /// <summary>All reasons not to enrol a face; empty where it is good. What cannot be told of an aligned picture is not held against it.</summary>
    public IReadOnlyList<QualityFault> Check(AlignedFace face) => Check(FaceQuality.Of(face));

    /// <summary>All reasons not to enrol a face of which these values were measured.</summary>
    public IReadOnlyList<QualityFault> Check(FaceQuality quality)
    {
        ArgumentNullException.ThrowIfNull(quality);
        List<QualityFault> faults = [];
        Add(quality.EyeDistance < Options.MinEyeDistance, QualityFaultKind.TooSmall, $"the face is too small: {quality.EyeDistance:F0} pixels between the eyes, expected at least {Options.MinEyeDistance:F0}; come closer or give a larger photo");
        Add(quality.Brightness < Options.MinBrightness, QualityFaultKind.TooDark, $"the face is too dark: brightness {quality.Brightness:F0} of 255, expected at least {Options.MinBrightness:F0}; put light on it");
        Add(quality.Brightness > Options.MaxBrightness, QualityFaultKind.TooBright, $"the face is too bright: brightness {quality.Brightness:F0} of 255, expected at most {Options.MaxBrightness:F0}; less light or a shorter exposure");
        Add(quality.Contrast < Options.MinContrast, QualityFaultKind.TooLittleContrast, $"the face has too little contrast: {quality.Contrast:F0}, expected at least {Options.MinContrast:F0}; avoid backlight, clean the lens");
        Add(quality.Sharpness < Options.MinSharpness, QualityFaultKind.Blurred, $"the face is blurred: sharpness {quality.Sharpness:F3}, expected at least {Options.MinSharpness:F3}; hold still, focus on the face");
        Add(Math.Abs(quality.Yaw ?? 0) > Options.MaxYaw, QualityFaultKind.TurnedAway, $"the face is turned away by about {Math.Abs(quality.Yaw ?? 0):F0} degrees, expected at most {Options.MaxYaw:F0}; look into the camera");
        Add(Math.Abs(quality.Pitch ?? 0) > Options.MaxPitch, QualityFaultKind.TiltedUpOrDown, $"the face looks {(quality.Pitch > 0 ? "down" : "up")} by about {Math.Abs(quality.Pitch ?? 0):F0} degrees, expected at most {Options.MaxPitch:F0}; hold the camera at the height of the eyes");
        Add(Math.Abs(quality.Roll ?? 0) > Options.MaxRoll, QualityFaultKind.Leaning, $"the head leans by {Math.Abs(quality.Roll ?? 0):F0} degrees, expected at most {Options.MaxRoll:F0}; hold the head, or turn the photo, upright");
        return faults;

        void Add(bool bad, QualityFaultKind kind, FormattableString message)
        {
            if (bad)
            {
                faults.Add(new QualityFault(kind, FormattableString.Invariant(message)));
            }
        }
    }
}
