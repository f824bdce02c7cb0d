namespace UniFace.Gallery.Index.Kernels;

/// <summary>Accuracy of a quantised vector r~ = <paramref name="Scale"/> * codes, which stands for r.</summary>
/// <param name="Scale">Value of a code of 1; 0 for the zero vector.</param>
/// <param name="Error">At least ||r - r~||.</param>
/// <param name="Norm">At least ||r~||.</param>
internal readonly record struct Quantized(float Scale, float Error, float Norm);

/// <summary>
/// Quantises rows to 8-bit and queries to 7-bit codes with known errors. Their inner products never overflow the arithmetic of
/// <see cref="DotKernels"/>.
/// </summary>
/// <remarks>
/// A scan adds the products of a lane in 16 bits; a lane is 16 of a chunk's 32 dimensions: those with (d mod 4) below 2, or the others.
/// |sum| &lt;= ||c_lane|| * ||q_lane|| (Cauchy-Schwarz) &lt;= 256 * 127 = 32,512 because of the limits below, so the final sum is right even if
/// intermediate sums wrap. A pair of products is at most 255 * 64 * 2 = 32,640, so it does not saturate.
/// </remarks>
internal static class RowQuantizer
{
    /// <summary>Dimensions of a chunk; codes are padded to whole chunks.</summary>
    public const int Chunk = 32;

    /// <summary>Norms of rows and queries must be below this.</summary>
    public const float LargestNorm = 1e6f;

    private const int RowLimit = 127, QueryLimit = 64;
    private const float SmallestScale = 1.17549435e-38f;
    private const double RowLaneNorm = 256, QueryLaneNorm = 127;

    /// <summary>Quantises a row to codes from -127 to 127.</summary>
    public static Quantized QuantizeRow(ReadOnlySpan<float> values, Span<sbyte> codes) => Quantize(values, codes, RowLimit, RowLaneNorm);

    /// <summary>Quantises a query to codes from -64 to 64.</summary>
    public static Quantized QuantizeQuery(ReadOnlySpan<float> values, Span<sbyte> codes) => Quantize(values, codes, QueryLimit, QueryLaneNorm);

    /// <summary>At least ||values||.</summary>
    public static float NormAbove(ReadOnlySpan<float> values) => Above(Math.Sqrt(ExactScore.Compute(values, values)));

    private static Quantized Quantize(ReadOnlySpan<float> given, Span<sbyte> codes, int limit, double laneLimit)
    {
        // Padded to whole chunks, so that the loops below have no remainder.
        Span<float> values = codes.Length <= 4096 ? stackalloc float[codes.Length] : new float[codes.Length];
        values.Clear();
        given.CopyTo(values);
        float largest = LargestMagnitude(values);
        if (largest == 0)
        {
            codes.Clear();
            return new Quantized(0, 0, 0);
        }

        // A scale that is too small to divide by (denormal values) gives codes of zero and a corresponding error.
        for (float scale = Math.Max(largest / limit, SmallestScale); ;)
        {
            Encode(values, codes, scale, limit);
            double lane = LargestLane(codes);
            if (lane <= laneLimit)
            {
                (double error, double norm) = Measure(values, codes, scale);
                return new Quantized(scale, Above(error), Above(norm));
            }

            scale *= (float)Math.Max(1.01, lane / laneLimit);
        }
    }

    // A float that is above the value, whatever the rounding of the sums before.
    private static float Above(double value) => value == 0 ? 0 : MathF.BitIncrement((float)(value * (1 + 1e-12)));

    private static float LargestMagnitude(ReadOnlySpan<float> values)
    {
        Vector512<float> largest = Vector512<float>.Zero;
        for (int i = 0; i < values.Length; i += 16)
        {
            largest = Vector512.Max(largest, Vector512.Abs(Vector512.Create(values[i..])));
        }

        float most = 0;
        for (int i = 0; i < 16; i++)
        {
            most = Math.Max(most, largest[i]);
        }

        return most;
    }

    private static void Encode(ReadOnlySpan<float> values, Span<sbyte> codes, float scale, int limit)
    {
        ref float first = ref MemoryMarshal.GetReference(values);
        Vector512<float> step = Vector512.Create(scale), most = Vector512.Create((float)limit);
        for (int i = 0; i < values.Length; i += 16)
        {
            Vector512<float> scaled = Vector512.LoadUnsafe(ref first, (nuint)i) / step;
            Vector512<int> whole = Vector512.ConvertToInt32(Vector512.Round(Vector512.Max(-most, Vector512.Min(most, scaled))));
            Vector256<short> half = Vector256.Narrow(whole.GetLower(), whole.GetUpper());
            Vector128.Narrow(half.GetLower(), half.GetUpper()).CopyTo(codes[i..]);
        }
    }

    // ||r - r~|| and ||r~||. The product of a scale and a code is exact in a double.
    private static (double Error, double Norm) Measure(ReadOnlySpan<float> values, ReadOnlySpan<sbyte> codes, float scale)
    {
        ref float first = ref MemoryMarshal.GetReference(values);
        Vector512<double> error = Vector512<double>.Zero, step = Vector512.Create((double)scale);
        Span<double> whole = stackalloc double[8];
        long squares = 0;
        for (int i = 0; i < values.Length; i += 8)
        {
            for (int j = 0; j < 8; j++)
            {
                whole[j] = codes[i + j];
                squares += codes[i + j] * codes[i + j];
            }

            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.LoadUnsafe(ref first, (nuint)i));
            Vector512<double> difference = Vector512.Create(low, high) - (step * Vector512.Create<double>(whole));
            error += difference * difference;
        }

        return (Math.Sqrt(Vector512.Sum(error)), scale * Math.Sqrt(squares));
    }

    private static double LargestLane(ReadOnlySpan<sbyte> codes)
    {
        int largest = 0;
        for (int first = 0; first < codes.Length; first += Chunk)
        {
            int even = 0, odd = 0;
            for (int i = first; i < first + Chunk; i += 4)
            {
                even += (codes[i] * codes[i]) + (codes[i + 1] * codes[i + 1]);
                odd += (codes[i + 2] * codes[i + 2]) + (codes[i + 3] * codes[i + 3]);
            }

            largest = Math.Max(largest, Math.Max(even, odd));
        }

        return Math.Sqrt(largest);
    }
}
