namespace UniFace.Embeddings;

/// <summary>How alike two faces are.</summary>
public static class UnitCosine
{
    /// <summary>The cosine of two embeddings of norm 1, in [-1, 1].</summary>
    /// <param name="a">[D].</param>
    /// <param name="b">[D].</param>
    /// <exception cref="ArgumentOutOfRangeException">They differ in size.</exception>
    public static double Of(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(b.Length, a.Length);
        double score = 0;
        for (int i = 0; i < a.Length; i++)
        {
            score += (double)a[i] * b[i];
        }

        return Math.Clamp(score, -1, 1);
    }
}
