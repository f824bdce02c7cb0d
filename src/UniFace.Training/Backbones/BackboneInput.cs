namespace UniFace.Training.Backbones;

/// <summary>The faces that a backbone takes.</summary>
/// <param name="Side">Side of the square in pixels.</param>
/// <param name="Normalization">From pixels to input.</param>
public sealed record BackboneInput(int Side, PixelNormalization Normalization)
{
    /// <summary>112x112, normalized to [-1, 1]: every family except dlib's.</summary>
    public static BackboneInput Default { get; } = new(112, PixelNormalization.Default);

    /// <summary>Width and height.</summary>
    internal (int Width, int Height) Size => (Side, Side);
}
