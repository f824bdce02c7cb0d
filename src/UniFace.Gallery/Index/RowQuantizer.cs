using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

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

    private static Quantized Quantize(ReadOnlySpan<float> given, Span<sbyte> codes, int limit, double laneLimit)
    {
        // Whole chunks, so that nothing below has a rest to care about.
        Span<float> values = codes.Length <= 4096 ? stackalloc float[codes.Length] : new float[codes.Length];
        values.Clear();
        given.CopyTo(values);
        (float largest, float lane) = Extent(values);
        if (largest == 0)
        {
            codes.Clear();
            return new Quantized(0, 0, 0);
        }

        // A scale too small to divide by (denormal values) gives codes of zero, and the error says so.
        for (float scale = Math.Max(Math.Max(largest / limit, (float)(lane / laneLimit)), SmallestScale); ; scale *= 1.01f)
        {
            Encode(values, codes, scale, limit);
            if (LargestLane(codes) <= laneLimit)
            {
                (double error, double norm) = Measure(values, codes, scale);
                return new Quantized(scale, Above(error), Above(norm));
            }
        }
    }

    // The next float that is surely above, whatever the rounding of the sums before.
    private static float Above(double value) => value == 0 ? 0 : MathF.BitIncrement((float)(value * (1 + 1e-12)));

    // The largest magnitude, and the largest norm of a lane, which may round: the codes are looked at again.
    private static (float Largest, float Lane) Extent(ReadOnlySpan<float> values)
    {
        ref float first = ref MemoryMarshal.GetReference(values);
        Vector512<float> largest = Vector512<float>.Zero;
        Vector512<float> even = Vector512.ConvertToSingle(Vector512.Create(1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0));
        float lane = 0;
        for (int i = 0; i < values.Length; i += Chunk)
        {
            Vector512<float> low = Vector512.LoadUnsafe(ref first, (nuint)i), high = Vector512.LoadUnsafe(ref first, (nuint)i + 16);
            largest = Vector512.Max(largest, Vector512.Max(Vector512.Abs(low), Vector512.Abs(high)));
            Vector512<float> squares = (low * low) + (high * high);
            lane = Math.Max(lane, Math.Max(Vector512.Dot(squares, even), Vector512.Dot(squares, Vector512<float>.One - even)));
        }

        float most = 0;
        for (int i = 0; i < 16; i++)
        {
            most = Math.Max(most, largest[i]);
        }

        return (most, MathF.Sqrt(lane));
    }

    private static void Encode(ReadOnlySpan<float> values, Span<sbyte> codes, float scale, int limit)
    {
        ref float first = ref MemoryMarshal.GetReference(values);
        Vector512<float> step = Vector512.Create(scale), most = Vector512.Create((float)limit);
        for (int i = 0; i < values.Length; i += 16)
        {
            Vector512<int> whole = Vector512.ConvertToInt32(Vector512.Round(Vector512.Max(-most, Vector512.Min(most, Vector512.LoadUnsafe(ref first, (nuint)i) / step))));
            Vector256<short> half = Vector256.Narrow(whole.GetLower(), whole.GetUpper());
            Vector128.Narrow(half.GetLower(), half.GetUpper()).CopyTo(codes[i..]);
        }
    }

    // ||r - r~|| and ||r~||. Products of a scale and a code are exact in a double.
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
