using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace UniFace.Training.Losses.Objectives;

/// <summary>
/// An objective's arithmetic on one sample's cosines, 16 at a time. A structure, so that the loop over a row is compiled with it inside.
/// </summary>
internal interface IRowSlope
{
    /// <summary>dLoss/dcosine, multiplied by the sample's share; 0, and nothing added up, where a cosine is <see cref="RowLoop.Masked"/>.</summary>
    Vector512<float> Slope(Vector512<float> cosines);
}

/// <summary>
/// One pass over one sample's row of a tile, in the processor's registers, where the general way takes a pass through memory for each of
/// a dozen operations and a block of memory for each result.
/// </summary>
internal static class RowLoop
{
    /// <summary>Stands in a cell that counts for nothing: far below any cosine.</summary>
    public const float Masked = -1e30f;

    private const int Lanes = 16;

    /// <summary>
    /// From products to gradients: a product times the row's inverse length is the cosine c, and its place takes
    /// G / length, as the matrix products to come want it, where G = dLoss/dc.
    /// </summary>
    /// <param name="products">[T]: products of the sample with the tile's rows, or <see cref="Masked"/>; takes the result.</param>
    /// <param name="inverse">[T]: one divided by the rows' lengths.</param>
    /// <param name="along">[T]: G * c is added.</param>
    /// <param name="slope">The objective.</param>
    /// <returns>The largest cosine.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Backward<TSlope>(Span<float> products, ReadOnlySpan<float> inverse, Span<float> along, ref TSlope slope)
        where TSlope : struct, IRowSlope
    {
        Vector512<float> largest = Vector512.Create(Masked);
        Vector512<float> lowest = largest;
        Span<Vector512<float>> p = MemoryMarshal.Cast<float, Vector512<float>>(products);
        ReadOnlySpan<Vector512<float>> n = MemoryMarshal.Cast<float, Vector512<float>>(inverse);
        Span<Vector512<float>> a = MemoryMarshal.Cast<float, Vector512<float>>(along);
        for (int i = 0; i < p.Length; i++)
        {
            Vector512<float> cosines = Vector512.Max(p[i] * n[i], lowest);
            largest = Vector512.Max(largest, cosines);
            Vector512<float> gradient = slope.Slope(cosines);
            a[i] += gradient * cosines;
            p[i] = gradient * n[i];
        }

        int done = p.Length * Lanes;
        if (done < products.Length)
        {
            // The last few, in a row of their own that is filled up with cells that count for nothing.
            Span<float> rest = stackalloc float[Lanes];
            Span<float> lengths = stackalloc float[Lanes];
            Span<float> sums = stackalloc float[Lanes];
            rest.Fill(Masked);
            lengths.Fill(1);
            products[done..].CopyTo(rest);
            inverse[done..].CopyTo(lengths);
            along[done..].CopyTo(sums);
            float top = Backward(rest, lengths, sums, ref slope);
            rest[..(products.Length - done)].CopyTo(products[done..]);
            sums[..(products.Length - done)].CopyTo(along[done..]);
            return MathF.Max(top, Largest(largest));
        }

        return Largest(largest);
    }

    /// <summary>Adds e^(scale * cosine) of a row to a running sum that is relative to its largest exponent.</summary>
    /// <param name="products">[T]: products, or <see cref="Masked"/>.</param>
    /// <param name="inverse">[T]: one divided by the rows' lengths.</param>
    /// <param name="scale">s.</param>
    /// <param name="top">The largest exponent so far; <see cref="Masked"/> at first.</param>
    /// <param name="sum">Sum of e^(exponent - top) so far.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddExponents(ReadOnlySpan<float> products, ReadOnlySpan<float> inverse, float scale, ref float top, ref double sum)
    {
        Vector512<float> lowest = Vector512.Create(Masked);
        Vector512<float> largest = lowest;
        ReadOnlySpan<Vector512<float>> p = MemoryMarshal.Cast<float, Vector512<float>>(products);
        ReadOnlySpan<Vector512<float>> n = MemoryMarshal.Cast<float, Vector512<float>>(inverse);
        for (int i = 0; i < p.Length; i++)
        {
            largest = Vector512.Max(largest, p[i] * n[i]);
        }

        float most = Largest(largest);
        for (int i = p.Length * Lanes; i < products.Length; i++)
        {
            most = MathF.Max(most, products[i] * inverse[i]);
        }

        float next = MathF.Max(top, most * scale);
        Vector512<float> shift = Vector512.Create(next);
        Vector512<float> factor = Vector512.Create(scale);
        Vector512<float> sums = Vector512<float>.Zero;
        for (int i = 0; i < p.Length; i++)
        {
            sums += Vector512.Exp((Vector512.Max(p[i] * n[i], lowest) * factor) - shift);
        }

        double total = Vector512.Sum(sums);
        for (int i = p.Length * Lanes; i < products.Length; i++)
        {
            total += MathF.Exp((MathF.Max(products[i] * inverse[i], Masked) * scale) - next);
        }

        sum = (sum * Math.Exp(top - next)) + total;
        top = next;
    }

    /// <summary>log(1 + x) of x in [0, 1], exact where 1 + x has lost x's digits.</summary>
    public static Vector512<float> LogPlus1(Vector512<float> x)
    {
        // Kahan's: log(u) * x / (u - 1) for u = 1 + x as it was rounded.
        Vector512<float> u = Vector512<float>.One + x;
        Vector512<float> lost = u - Vector512<float>.One;
        return Vector512.ConditionalSelect(Vector512.Equals(lost, Vector512<float>.Zero), x, Vector512.Log(u) * (x / lost));
    }

    private static float Largest(Vector512<float> values)
    {
        float largest = values[0];
        for (int i = 1; i < Lanes; i++)
        {
            largest = MathF.Max(largest, values[i]); // NaN stays NaN.
        }

        return largest;
    }
}
