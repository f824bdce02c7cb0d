namespace UniFace.Gallery.Index.Kernels;

/// <summary>The score of a query and a row, defined to the last bit, so that every implementation gives the same number and ties are exact.</summary>
/// <remarks>
/// The inner product in double precision over eight lanes: lane j adds x[i] * y[i] for i = j, j + 8, j + 16 ... in this order, then the lanes
/// are added as ((0+4)+(2+6)) + ((1+5)+(3+7)). The product of two floats is exact in a double (24 + 24 bits fit 53), so it is the same with
/// and without fused multiply-add; each sum rounds once. The relative error is below n/8 * 2^-53.
/// </remarks>
internal static class ExactScore
{
    /// <summary>Computes the score.</summary>
    /// <param name="x">[D].</param>
    /// <param name="y">[D].</param>
    public static double Compute(ReadOnlySpan<float> x, ReadOnlySpan<float> y)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(y.Length, x.Length);
        ref float a = ref MemoryMarshal.GetReference(x), b = ref MemoryMarshal.GetReference(y);
        Vector512<double> sum = Vector512<double>.Zero;
        int i = 0;
        for (; i + 8 <= x.Length; i += 8)
        {
            Vector512<double> p = Widen(Vector256.LoadUnsafe(ref a, (nuint)i)), q = Widen(Vector256.LoadUnsafe(ref b, (nuint)i));
            sum += p * q;
        }

        Span<double> lanes = stackalloc double[8];
        sum.CopyTo(lanes);
        for (; i < x.Length; i++)
        {
            lanes[i & 7] += (double)x[i] * y[i];
        }

        return lanes[0] + lanes[4] + (lanes[2] + lanes[6]) + (lanes[1] + lanes[5] + (lanes[3] + lanes[7]));
    }

    private static Vector512<double> Widen(Vector256<float> values)
    {
        (Vector256<double> low, Vector256<double> high) = Vector256.Widen(values);
        return Vector512.Create(low, high);
    }
}
