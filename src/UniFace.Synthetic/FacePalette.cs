namespace UniFace.Synthetic;

/// <summary>Colours of skin, hair and eyes from an identity's numbers.</summary>
internal static class FacePalette
{
    private static readonly SKColor[] Skins =
    [
        0xFFFCE4D6, 0xFFF5CFB5, 0xFFE6B490, 0xFFCB926A, 0xFFA06B48, 0xFF744A31, 0xFF4E3122,
    ];
    private static readonly SKColor[] Hairs =
    [
        0xFF171312, 0xFF2F2018, 0xFF573822, 0xFF8A603B, 0xFFC49A5E, 0xFFEAD29C,
    ];
    private static readonly SKColor[] Irises =
    [
        0xFF2B180E, 0xFF5E391C, 0xFF866634, 0xFF67844C, 0xFF7B9098, 0xFF4C84BC,
    ];

    public static SKColor Skin(FaceIdentity person)
    {
        SKColor skin = Ramp(Skins, person.Skin);
        return person.Undertone < 0
            ? skin.Mix(0xFFE07070, -person.Undertone * 0.12f)
            : skin.Mix(0xFFA89040, person.Undertone * 0.14f);
    }

    public static SKColor Hair(FaceIdentity person)
    {
        SKColor hair = Ramp(Hairs, person.HairColor).Mix(0xFFA2451C, person.HairRed * 0.8f);
        return hair.Mix(0xFFC4C2C0, person.HairGrey * 0.9f);
    }

    public static SKColor Iris(FaceIdentity person) => Ramp(Irises, person.IrisColor);

    /// <summary>A colour from hue (0 to 360), saturation and brightness (0 to 1).</summary>
    public static SKColor Hsv(float hue, float saturation, float value) => SKColor.FromHsv(hue, saturation * 100, value * 100);

    /// <summary>Darkens skin, and reddens it a little, as its own shadow does.</summary>
    public static SKColor Shade(this SKColor skin, float amount) => skin.Mix(0xFF4A1818, amount);

    /// <summary>Sets the opacity, 0 to 1.</summary>
    public static SKColor Fade(this SKColor color, float alpha) => color.WithAlpha((byte)Math.Clamp(alpha * 255, 0, 255));

    /// <summary>Blends two colours; 0 gives the first.</summary>
    public static SKColor Mix(this SKColor a, SKColor b, float t)
    {
        t = Math.Clamp(t, 0, 1);
        return new SKColor(Between(a.Red, b.Red), Between(a.Green, b.Green), Between(a.Blue, b.Blue), Between(a.Alpha, b.Alpha));

        byte Between(byte from, byte to) => (byte)(from + ((to - from) * t));
    }

    private static SKColor Ramp(SKColor[] stops, float t)
    {
        float at = Math.Clamp(t, 0, 1) * (stops.Length - 1);
        int i = Math.Min((int)at, stops.Length - 2);
        return stops[i].Mix(stops[i + 1], at - i);
    }
}
