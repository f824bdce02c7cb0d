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

    /// <summary>Images of that size as a batch, [B, 3, H, W], channels last.</summary>
    internal Tensor ToBatch(IReadOnlyList<RgbImage> images)
    {
        Tensor pixels = empty([images.Count, Side, Side, 3], ScalarType.Float32); // [B, H, W, 3]
        int size = Side * Side * 3;
        for (int i = 0; i < images.Count; i++)
        {
            Normalization.Apply(images[i].Pixels, TensorMemory.Floats(pixels).Slice(i * size, size));
        }

        return pixels.permute(0, 3, 1, 2);
    }
}
