namespace UniFace.Synthetic;

/// <summary>Colours of skin, hair and eyes from an identity's numbers.</summary>
internal static class FacePalette
{
    private static readonly SKColor[] Skins =
    [
        new(0xFFFCE4D6), new(0xFFF5CFB5), new(0xFFE6B490), new(0xFFCB926A), new(0xFFA06B48), new(0xFF744A31), new(0xFF4E3122),
    ];
    private static readonly SKColor[] Hairs =
    [
        new(0xFF171312), new(0xFF2F2018), new(0xFF573822), new(0xFF8A603B), new(0xFFC49A5E), new(0xFFEAD29C),
    ];
    private static readonly SKColor[] Irises =
    [
        new(0xFF2B180E), new(0xFF5E391C), new(0xFF866634), new(0xFF67844C), new(0xFF7B9098), new(0xFF4C84BC),
    ];

    public static SKColor Skin(FaceIdentity person)
    {
        SKColor skin = Ramp(Skins, person.Skin);
        return person.Undertone < 0
            ? skin.Mix(new SKColor(0xFFE07070), -person.Undertone * 0.12f)
            : skin.Mix(new SKColor(0xFFA89040), person.Undertone * 0.14f);
    }

    public static SKColor Hair(FaceIdentity person)
    {
        SKColor hair = Ramp(Hairs, person.HairColor).Mix(new SKColor(0xFFA2451C), person.HairRed * 0.8f);
        return hair.Mix(new SKColor(0xFFC4C2C0), person.HairGrey * 0.9f);
    }

    public static SKColor Iris(FaceIdentity person) => Ramp(Irises, person.IrisColor);

    /// <summary>A colour from hue (0 to 360), saturation and brightness (0 to 1).</summary>
    public static SKColor Hsv(float hue, float saturation, float value) => SKColor.FromHsv(hue, saturation * 100, value * 100);

    /// <summary>Darkens skin, and reddens it a little, as its own shadow does.</summary>
    public static SKColor Shade(this SKColor skin, float amount) => skin.Mix(new SKColor(0xFF4A1818), amount);

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
