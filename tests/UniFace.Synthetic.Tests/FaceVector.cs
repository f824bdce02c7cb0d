namespace UniFace.Synthetic.Tests;

/// <summary>Describes a person by numbers, to compare people without images.</summary>
internal static class FaceVector
{
    /// <summary>The continuous traits of a person, each scaled to about [0, 1]. Hair style, moles and grain are left out.</summary>
    public static float[] Describe(FaceIdentity face)
    {
        return
        [
            Scale(face.TempleWidth, 0.80f, 0.98f), Scale(face.CheekWidth, 0.88f, 1.08f), Scale(face.JawWidth, 0.62f, 0.90f),
            Scale(face.ChinWidth, 0.20f, 0.46f), Scale(face.ChinHeight, 1.36f, 1.70f), Scale(face.SkullHeight, 1.34f, 1.62f), face.Skin,
            Scale(face.Undertone, -1, 1), face.Freckles, face.Blush, face.Age, Scale(face.EyeSpacing, 0.37f, 0.51f),
            Scale(face.EyeWidth, 0.145f, 0.235f), Scale(face.EyeOpening, 0.060f, 0.125f), Scale(face.EyeTilt, -0.05f, 0.07f),
            Scale(face.EyePeak, -1, 1), Scale(face.LidFold, 0.02f, 0.10f), face.IrisColor, Scale(face.IrisSize, 0.078f, 0.100f),
            face.Lashes, face.SocketDepth, Scale(face.BrowHeight, 0.20f, 0.33f), Scale(face.BrowThickness, 0.035f, 0.105f),
            Scale(face.BrowTilt, -0.10f, 0.10f), Scale(face.BrowArch, 0, 0.10f), Scale(face.BrowLength, 0.20f, 0.31f),
            Scale(face.NoseLength, 0.50f, 0.74f), Scale(face.NoseWidth, 0.14f, 0.29f), Scale(face.NoseBridge, 0.06f, 0.13f),
            Scale(face.NoseDepth, 0.20f, 0.42f), Scale(face.NoseTip, -1, 1), Scale(face.MouthHeight, 0.90f, 1.10f),
            Scale(face.MouthWidth, 0.26f, 0.44f), Scale(face.UpperLip, 0.03f, 0.105f), Scale(face.LowerLip, 0.05f, 0.135f),
            Scale(face.MouthCurve, -0.04f, 0.04f), face.CupidsBow, face.LipColor, Scale(face.EarSize, 0.24f, 0.38f),
            Scale(face.EarWidth, 0.02f, 0.20f), Scale(face.HairLine, 0.66f, 1.05f), Scale(face.HairVolume, 0.04f, 0.26f),
            Scale(face.HairPart, -0.6f, 0.6f), face.HairColor, face.Beard, face.Moustache,
        ];

        static float Scale(float value, float low, float high) => (value - low) / (high - low);
    }
}
