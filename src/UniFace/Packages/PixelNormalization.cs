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
        values = values[..pixels.Length];
        TensorPrimitives.ConvertTruncating(pixels, values);
        TensorPrimitives.Subtract(values, Mean, values);
        TensorPrimitives.Divide(values, Deviation, values);
    }
}
