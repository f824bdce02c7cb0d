namespace UniFace.Embeddings;

/// <summary>The similarity of two faces: the cosine of their embeddings.</summary>
internal static class CosineSimilarity
{
    /// <summary>The cosine of two embeddings of norm 1, summed in float64 and limited to [-1, 1].</summary>
    /// <param name="a">[D].</param>
    /// <param name="b">[D].</param>
    /// <exception cref="ArgumentOutOfRangeException">They differ in size.</exception>
    public static double Compute(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, a.Length);
        double score = 0;
        for (int i = 0; i < a.Length; i++)
        {
            score += (double)a[i] * b[i];
        }

        return Math.Clamp(score, -1, 1);
    }

    /// <summary>The dot product of two embeddings in float32, for many comparisons.</summary>
    internal static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b) => TensorPrimitives.Dot(a, b);
}
