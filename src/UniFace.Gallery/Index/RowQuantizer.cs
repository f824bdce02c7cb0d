namespace UniFace.Gallery.Index;

/// <summary>What a quantised vector is worth: r~ = <paramref name="Scale"/> * codes stands for r.</summary>
/// <param name="Scale">Value of one step; 0 for the zero vector.</param>
/// <param name="Error">At least ||r - r~||.</param>
/// <param name="Norm">At least ||r~||.</param>
internal readonly record struct Quantized(float Scale, float Error, float Norm);

/// <summary>
/// Vectors as 8-bit (rows) and 7-bit (queries) codes whose inner products fit the arithmetic of <see cref="DotKernels"/> without
/// ever overflowing, and whose errors are known.
/// </summary>
/// <remarks>
/// A scan adds the products of a lane - 16 of the 32 dimensions of a chunk, those with (d mod 4) below 2 or not - in 16 bits.
/// |sum| &lt;= ||c_lane|| * ||q_lane|| (Cauchy-Schwarz) &lt;= 256 * 127 = 32,512 by the limits kept here, so the sum is right although what is
/// added on the way may wrap. A pair of products is at most 255 * 64 * 2 = 32,640 before that, so it does not saturate.
/// </remarks>
internal static class RowQuantizer
{
    /// <summary>Dimensions of a chunk; codes are padded to whole chunks.</summary>
    public const int Chunk = 32;

    private const int RowLimit = 127, QueryLimit = 64;
    private const float SmallestScale = 1.17549435e-38f;
    private const double RowLaneNorm = 256, QueryLaneNorm = 127;

    /// <summary>Codes of a row, -127 to 127.</summary>
    public static Quantized Row(ReadOnlySpan<float> values, Span<sbyte> codes) => Quantize(values, codes, RowLimit, RowLaneNorm);

    /// <summary>Codes of a query, -64 to 64.</summary>
    public static Quantized Query(ReadOnlySpan<float> values, Span<sbyte> codes) => Quantize(values, codes, QueryLimit, QueryLaneNorm);

    /// <summary>||values||, at least.</summary>
    public static float NormAbove(ReadOnlySpan<float> values) => Above(Math.Sqrt(ExactScore.Of(values, values)));

    private static Quantized Quantize(ReadOnlySpan<float> values, Span<sbyte> codes, int limit, double laneLimit)
    {
        codes.Clear();
        float largest = 0;
        foreach (float value in values)
        {
            largest = Math.Max(largest, Math.Abs(value));
        }

        if (largest == 0)
        {
            return new Quantized(0, 0, 0);
        }

        // A scale too small to divide by (denormal values) gives codes of zero, and the error says so.
        for (float scale = Math.Max((float)Math.Max(largest / limit, LargestLane(values) / laneLimit), SmallestScale); ; scale *= 1.01f)
        {
            double error = 0, norm = 0;
            bool fits = true;
            for (int i = 0; i < values.Length; i++)
            {
                double code = Math.Round(values[i] / (double)scale);
                fits &= Math.Abs(code) <= limit;
                codes[i] = (sbyte)Math.Clamp(code, -limit, limit);
                double difference = values[i] - ((double)scale * codes[i]);
                error += difference * difference;
                norm += (double)codes[i] * codes[i];
            }

            if (fits && LargestLane(codes) <= laneLimit)
            {
                return new Quantized(scale, Above(Math.Sqrt(error)), Above(scale * Math.Sqrt(norm)));
            }
        }
    }

    // The next float that is surely above, whatever the rounding of the sums before.
    private static float Above(double value) => value == 0 ? 0 : MathF.BitIncrement((float)(value * (1 + 1e-12)));

    private static double LargestLane(ReadOnlySpan<float> values)
    {
        double largest = 0;
        for (int first = 0; first < values.Length; first += Chunk)
        {
            double even = 0, odd = 0;
            for (int i = first; i < Math.Min(first + Chunk, values.Length); i++)
            {
                double square = (double)values[i] * values[i];
                (even, odd) = (i & 2) == 0 ? (even + square, odd) : (even, odd + square);
            }

            largest = Math.Max(largest, Math.Max(even, odd));
        }

        return Math.Sqrt(largest);
    }

    private static double LargestLane(ReadOnlySpan<sbyte> codes)
    {
        int largest = 0;
        for (int first = 0; first < codes.Length; first += Chunk)
        {
            int even = 0, odd = 0;
            for (int i = first; i < first + Chunk; i++)
            {
                int square = codes[i] * codes[i];
                (even, odd) = (i & 2) == 0 ? (even + square, odd) : (even, odd + square);
            }

            largest = Math.Max(largest, Math.Max(even, odd));
        }

        return Math.Sqrt(largest);
    }
}
