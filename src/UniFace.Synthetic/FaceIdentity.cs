namespace UniFace.Synthetic;

/// <summary>How a person wears the hair. Part of the identity; a hat may cover it in a picture.</summary>
public enum HairStyle
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
public readonly record struct FaceMark(float X, float Y, float Radius);

/// <summary>
/// An invented person: everything about a face that stays the same from picture to picture.
/// Lengths are in head units: one is half the width of an average face (about 7 cm); the eyes are at y = 0, y goes down.
/// Made by <see cref="Create"/> from a seed and the person's index; the same two numbers always give the same person.
/// </summary>
public sealed record FaceIdentity
{
    /// <summary>Values in <see cref="ToVector"/>.</summary>
    public const int VectorLength = 46;

    /// <summary>Half the width at the temples, 0.80 to 0.98.</summary>
    public required float TempleWidth { get; init; }

    /// <summary>Half the width at the cheekbones, 0.88 to 1.08.</summary>
    public required float CheekWidth { get; init; }

    /// <summary>Half the width at the corner of the jaw, 0.62 to 0.90.</summary>
    public required float JawWidth { get; init; }

    /// <summary>Half the width of the chin, 0.20 to 0.46.</summary>
    public required float ChinWidth { get; init; }

    /// <summary>From the eyes to the end of the chin, 1.36 to 1.70.</summary>
    public required float ChinHeight { get; init; }

    /// <summary>From the eyes to the top of the skull, 1.34 to 1.62.</summary>
    public required float SkullHeight { get; init; }

    /// <summary>Colour of the skin, 0 the lightest to 1 the darkest.</summary>
    public required float Skin { get; init; }

    /// <summary>Undertone of the skin, -1 rosy to 1 olive.</summary>
    public required float Undertone { get; init; }

    /// <summary>How many freckles, 0 to 1; most people have none.</summary>
    public required float Freckles { get; init; }

    /// <summary>Colour of the cheeks, 0 to 1.</summary>
    public required float Blush { get; init; }

    /// <summary>Lines and bags of age, 0 to 1.</summary>
    public required float Age { get; init; }

    /// <summary>From the middle of the face to a pupil, 0.37 to 0.51.</summary>
    public required float EyeSpacing { get; init; }

    /// <summary>Half the width of an eye, 0.145 to 0.235.</summary>
    public required float EyeWidth { get; init; }

    /// <summary>Half the height of the open eye, 0.060 to 0.125.</summary>
    public required float EyeOpening { get; init; }

    /// <summary>Rise of the outer corner against the inner one, -0.05 to 0.07.</summary>
    public required float EyeTilt { get; init; }

    /// <summary>Where the eye is highest: -1 towards the nose, 1 towards the temple.</summary>
    public required float EyePeak { get; init; }

    /// <summary>Distance of the lid's fold over the eye, 0.02 to 0.10.</summary>
    public required float LidFold { get; init; }

    /// <summary>Colour of the iris from dark brown (0) over hazel, green and grey to blue (1).</summary>
    public required float IrisColor { get; init; }

    /// <summary>Radius of the iris, 0.078 to 0.100.</summary>
    public required float IrisSize { get; init; }

    /// <summary>Length and darkness of the lashes, 0 to 1.</summary>
    public required float Lashes { get; init; }

    /// <summary>Depth of the shadow round the eyes, 0 to 1.</summary>
    public required float SocketDepth { get; init; }

    /// <summary>From the eye to the brow, 0.20 to 0.33.</summary>
    public required float BrowHeight { get; init; }

    /// <summary>Thickness of the brow at its inner end, 0.035 to 0.105.</summary>
    public required float BrowThickness { get; init; }

    /// <summary>Rise from the inner to the outer end, -0.10 to 0.10.</summary>
    public required float BrowTilt { get; init; }

    /// <summary>Rise of its middle, 0 to 0.10.</summary>
    public required float BrowArch { get; init; }

    /// <summary>Half its length, 0.20 to 0.31.</summary>
    public required float BrowLength { get; init; }

    /// <summary>From the eyes to the tip of the nose, 0.50 to 0.74.</summary>
    public required float NoseLength { get; init; }

    /// <summary>Half the width at the nostrils, 0.14 to 0.29.</summary>
    public required float NoseWidth { get; init; }

    /// <summary>Half the width of the bridge, 0.06 to 0.13.</summary>
    public required float NoseBridge { get; init; }

    /// <summary>How far the tip stands out, 0.20 to 0.42.</summary>
    public required float NoseDepth { get; init; }

    /// <summary>Turn of the tip, -1 down to 1 up.</summary>
    public required float NoseTip { get; init; }

    /// <summary>From the eyes to the mouth, 0.90 to 1.10.</summary>
    public required float MouthHeight { get; init; }

    /// <summary>Half the width of the mouth at rest, 0.26 to 0.44.</summary>
    public required float MouthWidth { get; init; }

    /// <summary>Thickness of the upper lip, 0.03 to 0.105.</summary>
    public required float UpperLip { get; init; }

    /// <summary>Thickness of the lower lip, 0.05 to 0.135.</summary>
    public required float LowerLip { get; init; }

    /// <summary>Rise of the corners at rest, -0.04 to 0.04.</summary>
    public required float MouthCurve { get; init; }

    /// <summary>Depth of the cupid's bow, 0 to 1.</summary>
    public required float CupidsBow { get; init; }

    /// <summary>Redness of the lips, 0 to 1.</summary>
    public required float LipColor { get; init; }

    /// <summary>Half the height of an ear, 0.24 to 0.38.</summary>
    public required float EarSize { get; init; }

    /// <summary>How far the ears stand out, 0.02 to 0.20.</summary>
    public required float EarWidth { get; init; }

    /// <summary>How the hair is worn.</summary>
    public required HairStyle Hair { get; init; }

    /// <summary>Height of the hairline over the eyes, 0.66 to 1.05.</summary>
    public required float HairLine { get; init; }

    /// <summary>How far the hair stands off the skull, 0.04 to 0.26.</summary>
    public required float HairVolume { get; init; }

    /// <summary>Where it is parted, -0.6 to 0.6.</summary>
    public required float HairPart { get; init; }

    /// <summary>Colour of the hair from black (0) over brown to fair (1).</summary>
    public required float HairColor { get; init; }

    /// <summary>Red in the hair, 0 to 1.</summary>
    public required float HairRed { get; init; }

    /// <summary>Grey in the hair, 0 to 1.</summary>
    public required float HairGrey { get; init; }

    /// <summary>Beard on the cheeks and chin, 0 none to 1 full.</summary>
    public required float Beard { get; init; }

    /// <summary>Moustache, 0 none to 1 full.</summary>
    public required float Moustache { get; init; }

    /// <summary>Moles; none to two.</summary>
    public required IReadOnlyList<FaceMark> Moles { get; init; }

    /// <summary>Chance that a picture shows this person with glasses, 0 to 1. Glasses are no part of the identity.</summary>
    public required float GlassesChance { get; init; }

    /// <summary>Seed of what is scattered (freckles, strands): the same in every picture of the person.</summary>
    public required long Grain { get; init; }

    /// <summary>Invents person number <paramref name="index"/> of a seed.</summary>
    public static FaceIdentity Create(long seed, int index)
    {
        FaceRandom r = new(seed, index, -1, 1);
        float build = r.Unit(); // 0 soft .. 1 angular: what goes together in people goes together here, loosely
        float ancestry = r.Unit();
        float skin = Math.Clamp(ancestry + r.Around(0.12f), 0, 1);
        float fair = Math.Clamp(1 - (skin * 1.7f) + r.Around(0.35f), 0, 1);
        float age = MathF.Pow(r.Unit(), 1.5f);
        bool mayBeard = build > 0.5f && r.Chance(0.55f);
        float beard = mayBeard && r.Chance(0.7f) ? r.Range(0.25f, 1) : 0;
        HairStyle[] styles = build > 0.5f
            ? [HairStyle.Shaved, HairStyle.Crop, HairStyle.Crop, HairStyle.SidePart, HairStyle.SidePart, HairStyle.Quiff, HairStyle.Quiff, HairStyle.Curls, HairStyle.Waves, HairStyle.Fringe]
            : [HairStyle.Crop, HairStyle.SidePart, HairStyle.Curls, HairStyle.Bob, HairStyle.Bob, HairStyle.Straight, HairStyle.Straight, HairStyle.Waves, HairStyle.Bun, HairStyle.Fringe];
        FaceMark[] moles = new FaceMark[Math.Max(0, r.Below(6) - 3)];
        for (int i = 0; i < moles.Length; i++)
        {
            float side = r.Chance(0.5f) ? -1 : 1;

            // On the cheeks, or beside the chin, clear of the mouth.
            bool cheek = r.Chance(0.7f);
            moles[i] = new FaceMark(side * r.Range(cheek ? 0.38f : 0.30f, cheek ? 0.74f : 0.5f), cheek ? r.Range(0.28f, 0.72f) : r.Range(1.18f, 1.3f), r.Range(0.018f, 0.034f));
        }

        return new FaceIdentity
        {
            TempleWidth = r.Range(0.80f, 0.98f),
            CheekWidth = r.Range(0.88f, 1.08f),
            JawWidth = r.Range(0.62f, 0.80f) + (0.10f * build),
            ChinWidth = r.Range(0.20f, 0.38f) + (0.08f * build),
            ChinHeight = r.Range(1.36f, 1.62f) + (0.08f * build),
            SkullHeight = r.Range(1.34f, 1.62f),
            Skin = skin,
            Undertone = r.Around(1),
            Freckles = skin < 0.45f && r.Chance(0.3f) ? r.Range(0.2f, 1) : 0,
            Blush = r.Unit(),
            Age = age,
            EyeSpacing = r.Range(0.37f, 0.51f),
            EyeWidth = r.Range(0.145f, 0.235f),
            EyeOpening = r.Range(0.060f, 0.105f) + (0.02f * (1 - build)),
            EyeTilt = r.Range(-0.05f, 0.07f),
            EyePeak = r.Around(1),
            LidFold = r.Range(0.02f, 0.10f),
            IrisColor = fair > 0.45f ? r.Range(0.1f, 1) : r.Range(0, 0.35f),
            IrisSize = r.Range(0.078f, 0.100f),
            Lashes = Math.Clamp(1.1f - build + r.Around(0.3f), 0, 1),
            SocketDepth = r.Unit(),
            BrowHeight = r.Range(0.20f, 0.33f),
            BrowThickness = r.Range(0.035f, 0.08f) + (0.025f * build),
            BrowTilt = r.Around(0.10f),
            BrowArch = r.Range(0, 0.10f),
            BrowLength = r.Range(0.20f, 0.31f),
            NoseLength = r.Range(0.50f, 0.74f),
            NoseWidth = r.Range(0.14f, 0.25f) + (0.04f * skin),
            NoseBridge = r.Range(0.06f, 0.13f),
            NoseDepth = r.Range(0.20f, 0.42f),
            NoseTip = r.Around(1),
            MouthHeight = r.Range(0.90f, 1.10f),
            MouthWidth = r.Range(0.26f, 0.44f),
            UpperLip = r.Range(0.03f, 0.085f) + (0.02f * skin),
            LowerLip = r.Range(0.05f, 0.11f) + (0.025f * skin),
            MouthCurve = r.Around(0.04f),
            CupidsBow = r.Unit(),
            LipColor = Math.Clamp((0.75f * (1 - build)) + r.Around(0.25f), 0, 1),
            EarSize = r.Range(0.24f, 0.38f),
            EarWidth = r.Range(0.02f, 0.20f),
            Hair = styles[r.Below(styles.Length)],
            HairLine = r.Range(0.66f, 0.92f) + (0.13f * age * build),
            HairVolume = r.Range(0.04f, 0.26f),
            HairPart = r.Around(0.6f),
            HairColor = fair * r.Unit(),
            HairRed = skin < 0.5f && r.Chance(0.25f) ? r.Range(0.3f, 1) : r.Range(0, 0.15f),
            HairGrey = age > 0.5f && r.Chance(0.7f) ? r.Range(0.2f, 1) : 0,
            Beard = beard,
            Moustache = beard > 0.45f || (mayBeard && r.Chance(0.5f)) ? r.Range(0.4f, 1) : 0,
            Moles = moles,
            GlassesChance = r.Chance(0.3f) ? r.Range(0.3f, 0.7f) : 0.05f,
            Grain = (long)(r.Next() >> 1),
        };
    }

    /// <summary>
    /// The continuous values that make the person, each scaled to about [0, 1], to compare people without pictures;
    /// <see cref="VectorLength"/> values. Hair style, moles and grain are not among them.
    /// </summary>
    public float[] ToVector()
    {
        static float Scale(float value, float low, float high) => (value - low) / (high - low);
        return
        [
            Scale(TempleWidth, 0.80f, 0.98f), Scale(CheekWidth, 0.88f, 1.08f), Scale(JawWidth, 0.62f, 0.90f), Scale(ChinWidth, 0.20f, 0.46f),
            Scale(ChinHeight, 1.36f, 1.70f), Scale(SkullHeight, 1.34f, 1.62f), Skin, Scale(Undertone, -1, 1), Freckles, Blush, Age,
            Scale(EyeSpacing, 0.37f, 0.51f), Scale(EyeWidth, 0.145f, 0.235f), Scale(EyeOpening, 0.060f, 0.125f), Scale(EyeTilt, -0.05f, 0.07f),
            Scale(EyePeak, -1, 1), Scale(LidFold, 0.02f, 0.10f), IrisColor, Scale(IrisSize, 0.078f, 0.100f), Lashes, SocketDepth,
            Scale(BrowHeight, 0.20f, 0.33f), Scale(BrowThickness, 0.035f, 0.105f), Scale(BrowTilt, -0.10f, 0.10f), Scale(BrowArch, 0, 0.10f), Scale(BrowLength, 0.20f, 0.31f),
            Scale(NoseLength, 0.50f, 0.74f), Scale(NoseWidth, 0.14f, 0.29f), Scale(NoseBridge, 0.06f, 0.13f), Scale(NoseDepth, 0.20f, 0.42f), Scale(NoseTip, -1, 1),
            Scale(MouthHeight, 0.90f, 1.10f), Scale(MouthWidth, 0.26f, 0.44f), Scale(UpperLip, 0.03f, 0.105f), Scale(LowerLip, 0.05f, 0.135f), Scale(MouthCurve, -0.04f, 0.04f),
            CupidsBow, LipColor, Scale(EarSize, 0.24f, 0.38f), Scale(EarWidth, 0.02f, 0.20f),
            Scale(HairLine, 0.66f, 1.05f), Scale(HairVolume, 0.04f, 0.26f), Scale(HairPart, -0.6f, 0.6f), HairColor, Beard, Moustache,
        ];
    }
}
