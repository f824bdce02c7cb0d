namespace UniFace.Packages;

/// <summary>
/// How pixels 0..255 become a model's input: (pixel - <paramref name="Mean"/>) / <paramref name="Deviation"/>. The only place where this is computed;
/// training, export and inference use it.
/// </summary>
/// <param name="Mean">Subtracted from a pixel; InsightFace uses 127.5.</param>
/// <param name="Deviation">Divisor; 127.5 maps pixels to [-1, 1].</param>
public sealed record PixelNormalization(float Mean, float Deviation)
{
    /// <summary>(pixel - 127.5) / 127.5, which UniFace trains with.</summary>
    public static PixelNormalization Default { get; } = new(127.5f, 127.5f);

    /// <summary>Normalizes a pixel value.</summary>
    /// <param name="pixel">0..255.</param>
    public float Apply(int pixel) => (pixel - Mean) / Deviation;

    /// <summary>Normalizes pixel values, in their order.</summary>
    /// <param name="pixels">Values 0..255.</param>
    /// <param name="values">Receives the normalized values; at least as long.</param>
    public void Apply(ReadOnlySpan<byte> pixels, Span<float> values)
    {
        Vector256<float> mean = Vector256.Create(Mean), deviation = Vector256.Create(Deviation);
        ReadOnlySpan<ulong> groups = MemoryMarshal.Cast<byte, ulong>(pixels);
        for (int i = 0; i < groups.Length; i++)
        {
            Vector128<ushort> wide = Vector128.WidenLower(Vector128.CreateScalar(groups[i]).AsByte());
            Vector256<int> numbers = Vector256.Create(Vector128.WidenLower(wide), Vector128.WidenUpper(wide)).AsInt32();
            ((Vector256.ConvertToSingle(numbers) - mean) / deviation).CopyTo(values[(8 * i)..]);
        }

        for (int i = 8 * groups.Length; i < pixels.Length; i++)
        {
            values[i] = Apply(pixels[i]);
        }
    }
}
