namespace UniFace.Synthetic;

/// <summary>How a person wears the hair. Part of the identity; a hat may cover it in an image.</summary>
internal enum HairStyle
{
    /// <summary>Shaved to a shadow.</summary>
    Shaved,

    /// <summary>Short, close to the skull.</summary>
    Crop,

    /// <summary>Short with volume, parted at one side.</summary>
    SidePart,

    /// <summary>Brushed up and back.</summary>
    Quiff,

    /// <summary>Curls all round.</summary>
    Curls,

    /// <summary>To the jaw.</summary>
    Bob,

    /// <summary>Long and straight.</summary>
    Straight,

    /// <summary>Long with waves.</summary>
    Waves,

    /// <summary>Tied back to a bun.</summary>
    Bun,

    /// <summary>A fringe over the forehead.</summary>
    Fringe,
}

/// <summary>A small mark on the skin that stays where it is: a mole.</summary>
/// <param name="X">Across the face in head units, -1 at the left cheek, 1 at the right.</param>
/// <param name="Y">Down the face in head units, 0 at the eyes.</param>
/// <param name="Radius">In head units.</param>
internal readonly record struct FaceMark(float X, float Y, float Radius);

/// <summary>
/// A synthetic person: everything about a face that stays the same from image to image.
/// Lengths are in head units: one is half the width of an average face (about 7 cm); the eyes are at y = 0, y goes down.
/// The same seed and index always give the same person.
/// </summary>
internal sealed class FaceIdentity
{
    private static readonly HairStyle[] AngularStyles =
    [
        HairStyle.Shaved, HairStyle.Crop, HairStyle.Crop, HairStyle.SidePart, HairStyle.SidePart,
        HairStyle.Quiff, HairStyle.Quiff, HairStyle.Curls, HairStyle.Waves, HairStyle.Fringe,
    ];

    private static readonly HairStyle[] SoftStyles =
    [
        HairStyle.Crop, HairStyle.SidePart, HairStyle.Curls, HairStyle.Bob, HairStyle.Bob,
        HairStyle.Straight, HairStyle.Straight, HairStyle.Waves, HairStyle.Bun, HairStyle.Fringe,
    ];

    /// <summary>Invents person number <paramref name="index"/> of a seed.</summary>
    public FaceIdentity(long seed, int index)
    {
        FaceRandom r = new(FaceStream.Person, seed, index, -1);
        float build = r.Unit(); // From soft (0) to angular (1): traits that correlate in people correlate loosely here.
        float skin = Math.Clamp(r.Unit() + r.Around(0.12f), 0, 1);
        float fair = Math.Clamp(1 - (skin * 1.7f) + r.Around(0.35f), 0, 1);
        float age = MathF.Pow(r.Unit(), 1.5f);
        bool mayBeard = build > 0.5f && r.Chance(0.55f);
        float beard = mayBeard && r.Chance(0.7f) ? r.Range(0.25f, 1) : 0;
        HairStyle[] styles = build > 0.5f ? AngularStyles : SoftStyles;
        FaceMark[] moles = new FaceMark[Math.Max(0, r.Below(6) - 3)];
        for (int i = 0; i < moles.Length; i++)
        {
            float side = r.Chance(0.5f) ? -1 : 1;

            // On the cheeks, or beside the chin, clear of the mouth.
            bool cheek = r.Chance(0.7f);
            float x = side * r.Range(cheek ? 0.38f : 0.30f, cheek ? 0.74f : 0.5f), y = cheek ? r.Range(0.28f, 0.72f) : r.Range(1.18f, 1.3f);
            moles[i] = new FaceMark(x, y, r.Range(0.018f, 0.034f));
        }

        TempleWidth = r.Range(0.80f, 0.98f);
        CheekWidth = r.Range(0.88f, 1.08f);
        JawWidth = r.Range(0.62f, 0.80f) + (0.10f * build);
        ChinWidth = r.Range(0.20f, 0.38f) + (0.08f * build);
        ChinHeight = r.Range(1.36f, 1.62f) + (0.08f * build);
        SkullHeight = r.Range(1.34f, 1.62f);
        Skin = skin;
        Undertone = r.Around(1);
        Freckles = skin < 0.45f && r.Chance(0.3f) ? r.Range(0.2f, 1) : 0;
        Blush = r.Unit();
        Age = age;
        EyeSpacing = r.Range(0.37f, 0.51f);
        EyeWidth = r.Range(0.145f, 0.235f);
        EyeOpening = r.Range(0.060f, 0.105f) + (0.02f * (1 - build));
        EyeTilt = r.Range(-0.05f, 0.07f);
        EyePeak = r.Around(1);
        LidFold = r.Range(0.02f, 0.10f);
        IrisColor = fair > 0.45f ? r.Range(0.1f, 1) : r.Range(0, 0.35f);
        IrisSize = r.Range(0.078f, 0.100f);
        Lashes = Math.Clamp(1.1f - build + r.Around(0.3f), 0, 1);
        SocketDepth = r.Unit();
        BrowHeight = r.Range(0.20f, 0.33f);
        BrowThickness = r.Range(0.035f, 0.08f) + (0.025f * build);
        BrowTilt = r.Around(0.10f);
        BrowArch = r.Range(0, 0.10f);
        BrowLength = r.Range(0.20f, 0.31f);
        NoseLength = r.Range(0.50f, 0.74f);
        NoseWidth = r.Range(0.14f, 0.25f) + (0.04f * skin);
        NoseBridge = r.Range(0.06f, 0.13f);
        NoseDepth = r.Range(0.20f, 0.42f);
        NoseTip = r.Around(1);
        MouthHeight = r.Range(0.90f, 1.10f);
        MouthWidth = r.Range(0.26f, 0.44f);
        UpperLip = r.Range(0.03f, 0.085f) + (0.02f * skin);
        LowerLip = r.Range(0.05f, 0.11f) + (0.025f * skin);
        MouthCurve = r.Around(0.04f);
        CupidsBow = r.Unit();
        LipColor = Math.Clamp((0.75f * (1 - build)) + r.Around(0.25f), 0, 1);
        EarSize = r.Range(0.24f, 0.38f);
        EarWidth = r.Range(0.02f, 0.20f);
        Hair = styles[r.Below(styles.Length)];
        HairLine = r.Range(0.66f, 0.92f) + (0.13f * age * build);
        HairVolume = r.Range(0.04f, 0.26f);
        HairPart = r.Around(0.6f);
        HairColor = fair * r.Unit();
        HairRed = skin < 0.5f && r.Chance(0.25f) ? r.Range(0.3f, 1) : r.Range(0, 0.15f);
        HairGray = age > 0.5f && r.Chance(0.7f) ? r.Range(0.2f, 1) : 0;
        Beard = beard;
        Moustache = beard > 0.45f || (mayBeard && r.Chance(0.5f)) ? r.Range(0.4f, 1) : 0;
        Moles = moles;
        GlassesChance = r.Chance(0.3f) ? r.Range(0.3f, 0.7f) : 0.05f;
        Grain = (long)(r.Next() >> 1);
    }

    /// <summary>Half the width at the temples, 0.80 to 0.98.</summary>
    public float TempleWidth { get; }

    /// <summary>Half the width at the cheekbones, 0.88 to 1.08.</summary>
    public float CheekWidth { get; }

    /// <summary>Half the width at the corner of the jaw, 0.62 to 0.90.</summary>
    public float JawWidth { get; }

    /// <summary>Half the width of the chin, 0.20 to 0.46.</summary>
    public float ChinWidth { get; }

    /// <summary>From the eyes to the end of the chin, 1.36 to 1.70.</summary>
    public float ChinHeight { get; }

    /// <summary>From the eyes to the top of the skull, 1.34 to 1.62.</summary>
    public float SkullHeight { get; }

    /// <summary>Color of the skin, 0 the lightest to 1 the darkest.</summary>
    public float Skin { get; }

    /// <summary>Undertone of the skin, -1 rosy to 1 olive.</summary>
    public float Undertone { get; }

    /// <summary>How many freckles, 0 to 1; most people have none.</summary>
    public float Freckles { get; }

    /// <summary>Color of the cheeks, 0 to 1.</summary>
    public float Blush { get; }

    /// <summary>Lines and bags of age, 0 to 1.</summary>
    public float Age { get; }

    /// <summary>From the middle of the face to a pupil, 0.37 to 0.51.</summary>
    public float EyeSpacing { get; }

    /// <summary>Half the width of an eye, 0.145 to 0.235.</summary>
    public float EyeWidth { get; }

    /// <summary>Half the height of the open eye, 0.060 to 0.125.</summary>
    public float EyeOpening { get; }

    /// <summary>Rise of the outer corner against the inner one, -0.05 to 0.07.</summary>
    public float EyeTilt { get; }

    /// <summary>Where the eye is highest: -1 towards the nose, 1 towards the temple.</summary>
    public float EyePeak { get; }

    /// <summary>Distance of the lid's fold over the eye, 0.02 to 0.10.</summary>
    public float LidFold { get; }

    /// <summary>Color of the iris from dark brown (0) over hazel, green and gray to blue (1).</summary>
    public float IrisColor { get; }

    /// <summary>Radius of the iris, 0.078 to 0.100.</summary>
    public float IrisSize { get; }

    /// <summary>Length and darkness of the lashes, 0 to 1.</summary>
    public float Lashes { get; }

    /// <summary>Depth of the shadow round the eyes, 0 to 1.</summary>
    public float SocketDepth { get; }

    /// <summary>From the eye to the brow, 0.20 to 0.33.</summary>
    public float BrowHeight { get; }

    /// <summary>Thickness of the brow at its inner end, 0.035 to 0.105.</summary>
    public float BrowThickness { get; }

    /// <summary>Rise from the inner to the outer end, -0.10 to 0.10.</summary>
    public float BrowTilt { get; }

    /// <summary>Rise of its middle, 0 to 0.10.</summary>
    public float BrowArch { get; }

    /// <summary>Half its length, 0.20 to 0.31.</summary>
    public float BrowLength { get; }

    /// <summary>From the eyes to the tip of the nose, 0.50 to 0.74.</summary>
    public float NoseLength { get; }

    /// <summary>Half the width at the nostrils, 0.14 to 0.29.</summary>
    public float NoseWidth { get; }

    /// <summary>Half the width of the bridge, 0.06 to 0.13.</summary>
    public float NoseBridge { get; }

    /// <summary>How far the tip stands out, 0.20 to 0.42.</summary>
    public float NoseDepth { get; }

    /// <summary>Turn of the tip, -1 down to 1 up.</summary>
    public float NoseTip { get; }

    /// <summary>From the eyes to the mouth, 0.90 to 1.10.</summary>
    public float MouthHeight { get; }

    /// <summary>Half the width of the mouth at rest, 0.26 to 0.44.</summary>
    public float MouthWidth { get; }

    /// <summary>Thickness of the upper lip, 0.03 to 0.105.</summary>
    public float UpperLip { get; }

    /// <summary>Thickness of the lower lip, 0.05 to 0.135.</summary>
    public float LowerLip { get; }

    /// <summary>Rise of the corners at rest, -0.04 to 0.04.</summary>
    public float MouthCurve { get; }

    /// <summary>Depth of the cupid's bow, 0 to 1.</summary>
    public float CupidsBow { get; }

    /// <summary>Redness of the lips, 0 to 1.</summary>
    public float LipColor { get; }

    /// <summary>Half the height of an ear, 0.24 to 0.38.</summary>
    public float EarSize { get; }

    /// <summary>How far the ears stand out, 0.02 to 0.20.</summary>
    public float EarWidth { get; }

    /// <summary>How the hair is worn.</summary>
    public HairStyle Hair { get; }

    /// <summary>Height of the hairline over the eyes, 0.66 to 1.05.</summary>
    public float HairLine { get; }

    /// <summary>How far the hair stands off the skull, 0.04 to 0.26.</summary>
    public float HairVolume { get; }

    /// <summary>Where it is parted, -0.6 to 0.6.</summary>
    public float HairPart { get; }

    /// <summary>Color of the hair from black (0) over brown to fair (1).</summary>
    public float HairColor { get; }

    /// <summary>Red in the hair, 0 to 1.</summary>
    public float HairRed { get; }

    /// <summary>Gray in the hair, 0 to 1.</summary>
    public float HairGray { get; }

    /// <summary>Beard on the cheeks and chin, 0 none to 1 full.</summary>
    public float Beard { get; }

    /// <summary>Moustache, 0 none to 1 full.</summary>
    public float Moustache { get; }

    /// <summary>Moles; none to two.</summary>
    public IReadOnlyList<FaceMark> Moles { get; }

    /// <summary>Chance that an image shows this person with glasses, 0 to 1. Glasses are no part of the identity.</summary>
    public float GlassesChance { get; }

    /// <summary>Seed of what is scattered (freckles, strands): the same in every image of the person.</summary>
    public long Grain { get; }
}
