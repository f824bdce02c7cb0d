using SkiaSharp;

namespace UniFace.Synthetic;

/// <summary>Colours of skin, hair and eyes from an identity's numbers.</summary>
internal static class FacePalette
{
    private static readonly SKColor[] Skins = [new(0xFC, 0xE4, 0xD6), new(0xF5, 0xCF, 0xB5), new(0xE6, 0xB4, 0x90), new(0xCB, 0x92, 0x6A), new(0xA0, 0x6B, 0x48), new(0x74, 0x4A, 0x31), new(0x4E, 0x31, 0x22)];
    private static readonly SKColor[] Hairs = [new(0x17, 0x13, 0x12), new(0x2F, 0x20, 0x18), new(0x57, 0x38, 0x22), new(0x8A, 0x60, 0x3B), new(0xC4, 0x9A, 0x5E), new(0xEA, 0xD2, 0x9C)];
    private static readonly SKColor[] Irises = [new(0x2B, 0x18, 0x0E), new(0x5E, 0x39, 0x1C), new(0x86, 0x66, 0x34), new(0x67, 0x84, 0x4C), new(0x7B, 0x90, 0x98), new(0x4C, 0x84, 0xBC)];

    public static SKColor Skin(FaceIdentity person)
    {
        SKColor skin = Ramp(Skins, person.Skin);
        return person.Undertone < 0
            ? FacePen.Mix(skin, new SKColor(0xE0, 0x70, 0x70), -person.Undertone * 0.12f)
            : FacePen.Mix(skin, new SKColor(0xA8, 0x90, 0x40), person.Undertone * 0.14f);
    }

    public static SKColor Hair(FaceIdentity person)
    {
        SKColor hair = FacePen.Mix(Ramp(Hairs, person.HairColor), new SKColor(0xA2, 0x45, 0x1C), person.HairRed * 0.8f);
        return FacePen.Mix(hair, new SKColor(0xC4, 0xC2, 0xC0), person.HairGrey * 0.9f);
    }

    public static SKColor Iris(FaceIdentity person) => Ramp(Irises, person.IrisColor);

    /// <summary>A colour from hue (0 to 360), saturation and brightness (0 to 1).</summary>
    public static SKColor Hsv(float hue, float saturation, float value) => SKColor.FromHsv(hue, saturation * 100, value * 100);

    /// <summary>Darker and a little redder, as skin is in its own shadow.</summary>
    public static SKColor Shade(SKColor skin, float amount) => FacePen.Mix(skin, new SKColor(0x4A, 0x18, 0x18), amount);

    private static SKColor Ramp(SKColor[] stops, float t)
    {
        float at = Math.Clamp(t, 0, 1) * (stops.Length - 1);
        int i = Math.Min((int)at, stops.Length - 2);
        return FacePen.Mix(stops[i], stops[i + 1], at - i);
    }
}
