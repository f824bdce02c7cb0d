namespace UniFace.Synthetic;

/// <summary>What covers a part of the face in an image.</summary>
internal enum Occlusion
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Clear glasses.</summary>
    Glasses,

    /// <summary>Sunglasses.</summary>
    Sunglasses,

    /// <summary>A scarf over the chin, sometimes the mouth.</summary>
    Scarf,

    /// <summary>A hand at the chin or cheek.</summary>
    Hand,

    /// <summary>Bars in front of the face, as of a fence.</summary>
    Bars,

    /// <summary>A hat or cap over hair and forehead.</summary>
    Hat,
}

/// <summary>
/// The scene of one image: everything that changes between the images of a person. The defaults are a frontal, evenly lit portrait without occlusion.
/// Angles are in radians.
/// </summary>
internal sealed record FaceScene
{
    /// <summary>Turn of the head to the right of the image, at most 0.55 either way.</summary>
    public float Yaw { get; init; }

    /// <summary>Nod downwards, at most 0.33 either way.</summary>
    public float Pitch { get; init; }

    /// <summary>Tilt of the head clockwise in the image, at most 0.4 either way.</summary>
    public float Roll { get; init; }

    /// <summary>Strength of the perspective: 0 from far away, 0.15 from near.</summary>
    public float Perspective { get; init; } = 0.06f;

    /// <summary>Mouth open, 0 to 1.</summary>
    public float MouthOpen { get; init; }

    /// <summary>Smile, -0.6 (sad) to 1.</summary>
    public float Smile { get; init; }

    /// <summary>Brows raised (1) or drawn down (-1).</summary>
    public float BrowRaise { get; init; }

    /// <summary>Eyes closed, 0 to 1.</summary>
    public float EyesClosed { get; init; }

    /// <summary>Gaze to the right of the image, -1 to 1.</summary>
    public float GazeX { get; init; }

    /// <summary>Gaze downwards, -1 to 1.</summary>
    public float GazeY { get; init; }

    /// <summary>What covers a part of the face.</summary>
    public Occlusion Occlusion { get; init; }

    /// <summary>Direction of the light: 0 from the right of the image, pi/2 from below.</summary>
    public float LightAngle { get; init; } = -1.2f;

    /// <summary>Contrast between the lit and the dark side, 0 to 1.</summary>
    public float LightContrast { get; init; } = 0.25f;

    /// <summary>Brightness in stops; 0 is neutral.</summary>
    public float Exposure { get; init; }

    /// <summary>Color temperature, -1 blue to 1 orange.</summary>
    public float Warmth { get; init; }

    /// <summary>Green (1) against magenta (-1).</summary>
    public float Tint { get; init; }

    /// <summary>Saturation; 1 is neutral, 0 gray.</summary>
    public float Saturation { get; init; } = 1;

    /// <summary>Contrast; 1 is neutral.</summary>
    public float Contrast { get; init; } = 1;

    /// <summary>Deviation of the noise in gray levels of 255.</summary>
    public float Noise { get; init; }

    /// <summary>Passes of a 3x3 binomial blur over the aligned face.</summary>
    public int Blur { get; init; }

    /// <summary>Simulated detector error: shift to the right in pixels of the aligned face.</summary>
    public float CropShiftX { get; init; }

    /// <summary>Simulated detector error: shift down in pixels of the aligned face.</summary>
    public float CropShiftY { get; init; }

    /// <summary>Simulated detector error: rotation.</summary>
    public float CropTurn { get; init; }

    /// <summary>Simulated detector error: scale.</summary>
    public float CropScale { get; init; } = 1;

    /// <summary>Height of the face in a photo, as a share of the photo's height, 0.35 to 0.6.</summary>
    public float PhotoSize { get; init; } = 0.5f;

    /// <summary>Seed of background, clothes, noise and the occlusion's details.</summary>
    public long Grain { get; init; }

    /// <summary>Creates the scene of an image.</summary>
    /// <param name="seed">Seed of the set.</param>
    /// <param name="person">Index of the person.</param>
    /// <param name="image">Index of the image.</param>
    /// <param name="identity">The person, for habits such as wearing glasses.</param>
    /// <param name="variation">
    /// How much images vary, from 0 (nearly the same portrait) to 1 (hard). Scales pose, expression, light, camera and the frequency of occlusions.
    /// </param>
    internal static FaceScene Create(long seed, int person, int image, FaceIdentity identity, float variation = 1)
    {
        FaceRandom r = new(FaceStream.Scene, seed, person, image);
        Occlusion occlusion = r.Chance(identity.GlassesChance) ? Occlusion.Glasses
            : r.Chance(0.14f) ? (Occlusion)(2 + r.Below(5))
            : Occlusion.None;
        bool laughing = r.Chance(0.25f);
        FaceScene scene = new()
        {
            Yaw = Vary(Bell(0.24f, 0.55f)),
            Pitch = Vary(Bell(0.13f, 0.33f)),
            Roll = Vary(Bell(0.13f, 0.4f)),
            Perspective = Vary(r.Range(0.02f, 0.12f), 0.06f),
            MouthOpen = Vary(laughing ? r.Range(0.35f, 1) : Math.Max(0, r.Bell(0.15f))),
            Smile = Vary(laughing ? r.Range(0.4f, 1) : Math.Clamp(0.32f + r.Bell(0.4f), -0.6f, 1), 0.3f),
            BrowRaise = Vary(Bell(0.45f, 1)),
            EyesClosed = Vary(r.Chance(0.06f) ? r.Range(0.7f, 1) : Math.Max(0, r.Bell(0.18f))),
            GazeX = Vary(Bell(0.45f, 1)),
            GazeY = Vary(Bell(0.3f, 1)),
            LightAngle = Vary(r.Range(-MathF.PI, MathF.PI), -1.2f),
            LightContrast = Vary(r.Range(0.05f, 0.75f)),
            Exposure = Vary(r.Bell(0.33f)),
            Warmth = Vary(Bell(0.5f, 1)),
            Tint = Vary(Bell(0.35f, 1)),
            Saturation = Vary(r.Chance(0.06f) ? 0 : r.Range(0.55f, 1.25f), 1),
            Contrast = Vary(r.Range(0.8f, 1.2f), 1),
            Noise = Vary(r.Chance(0.5f) ? r.Range(0, 9) : 1),
            Blur = (int)MathF.Round(Vary(r.Chance(0.25f) ? 1 + r.Below(4) : 0)),
            CropShiftX = Vary(r.Bell(1.2f)),
            CropShiftY = Vary(r.Bell(1.2f)),
            CropTurn = Vary(r.Bell(0.025f)),
            CropScale = Vary(1 + r.Bell(0.022f), 1),
            PhotoSize = r.Range(0.38f, 0.6f),
            Grain = (long)(r.Next() >> 1),
        };
        return scene with { Occlusion = variation == 1 || r.Chance(variation) ? occlusion : Occlusion.None };

        float Bell(float deviation, float most) => Math.Clamp(r.Bell(deviation), -most, most);
        float Vary(float value, float neutral = 0) => variation < 1 ? neutral + (variation * (value - neutral)) : value;
    }
}
