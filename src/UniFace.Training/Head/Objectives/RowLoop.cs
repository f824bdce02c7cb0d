namespace UniFace.Training.Head.Objectives;

/// <summary>The coefficients of one sample's row: the logit of a cosine c is Scale * c - Offset, and its slope is multiplied by Weight.</summary>
internal readonly record struct RowTerms(float Scale, float Offset, float Weight);

/// <summary>What a row adds up to: the largest cosine, and the sums of the kernel's values and slopes.</summary>
internal readonly record struct RowSums(float Largest, float Values, float Slopes);

/// <summary>A <see cref="PairKernel"/> that can process one sample's row of a tile at a time, without tensors.</summary>
internal interface IRowKernel
{
    /// <summary>See <see cref="RowLoop.Backward"/>.</summary>
    RowSums Backward(Span<float> products, ReadOnlySpan<float> inverseLengths, Span<float> radial, RowTerms terms);
}

/// <summary>The function of a <see cref="IRowKernel"/> for 16 logits at a time; compiled into the loop over a row.</summary>
internal interface IVectorKernel
{
    /// <summary>The slopes; adds the values. Both are 0 for the logit of <see cref="RowLoop.Masked"/>.</summary>
    static abstract Vector512<float> Slope(Vector512<float> logits, ref Vector512<float> value);
}

/// <summary>
/// One pass over one sample's row of a tile in the processor's registers. As tensors, each of a dozen operations would be a pass through
/// memory with a result of its own.
/// </summary>
internal static class RowLoop
{
    /// <summary>Marks a cell that does not count: far below any cosine.</summary>
    public const float Masked = -1e30f;

    private const int Lanes = 16;

    /// <summary>
    /// Turns products into gradients: a product times the inverse length of its row is the cosine c, and is replaced by
    /// G / length, the operand of the matrix products to come, where G = dLoss/dc.
    /// </summary>
    /// <param name="products">[T]: products of the sample with the rows of the tile, or <see cref="Masked"/>; overwritten.</param>
    /// <param name="inverseLengths">[T]: 1 / length of the rows.</param>
    /// <param name="radial">[T]: G * c is added.</param>
    /// <param name="terms">The coefficients of the row.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static RowSums Backward<TKernel>(Span<float> products, ReadOnlySpan<float> inverseLengths, Span<float> radial, RowTerms terms)
        where TKernel : struct, IVectorKernel
    {
        Vector512<float> lowest = Vector512.Create(Masked);
        Vector512<float> largest = lowest;
        Vector512<float> values = Vector512<float>.Zero;
        Vector512<float> slopes = Vector512<float>.Zero;
        Vector512<float> scale = Vector512.Create(terms.Scale);
        Vector512<float> offset = Vector512.Create(terms.Offset);
        Vector512<float> weight = Vector512.Create(terms.Weight);
        Span<Vector512<float>> p = MemoryMarshal.Cast<float, Vector512<float>>(products);
        ReadOnlySpan<Vector512<float>> n = MemoryMarshal.Cast<float, Vector512<float>>(inverseLengths);
        Span<Vector512<float>> r = MemoryMarshal.Cast<float, Vector512<float>>(radial);
        for (int i = 0; i < p.Length; i++)
        {
            Vector512<float> cosines = Vector512.Max(p[i] * n[i], lowest);
            largest = Vector512.Max(largest, cosines);
            Vector512<float> slope = TKernel.Slope((cosines * scale) - offset, ref values);
            slopes += slope;
            Vector512<float> gradient = slope * weight;
            r[i] += gradient * cosines;
            p[i] = gradient * n[i];
        }

        RowSums sums = new(Largest(largest), Vector512.Sum(values), Vector512.Sum(slopes));
        int done = p.Length * Lanes;
        if (done == products.Length)
        {
            return sums;
        }

        Span<float> rest = stackalloc float[Lanes];
        Span<float> lengths = stackalloc float[Lanes];
        Span<float> added = stackalloc float[Lanes];
        Pad(products[done..], inverseLengths[done..], rest, lengths);
        RowSums last = Backward<TKernel>(rest, lengths, added, terms);
        rest[..(products.Length - done)].CopyTo(products[done..]);
        for (int i = done; i < products.Length; i++)
        {
            radial[i] += added[i - done];
        }

        return new RowSums(MathF.Max(sums.Largest, last.Largest), sums.Values + last.Values, sums.Slopes + last.Slopes);
    }

    /// <summary>Adds e^(scale * cosine) of a row to a running sum that is relative to its largest exponent.</summary>
    /// <param name="products">[T]: products, or <see cref="Masked"/>.</param>
    /// <param name="inverseLengths">[T]: 1 / length of the rows.</param>
    /// <param name="scale">s.</param>
    /// <param name="top">The largest exponent so far; initially <see cref="Masked"/>.</param>
    /// <param name="sum">The sum of e^(exponent - top) so far.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddExponents(ReadOnlySpan<float> products, ReadOnlySpan<float> inverseLengths, float scale, ref float top, ref double sum)
    {
        ReadOnlySpan<Vector512<float>> p = MemoryMarshal.Cast<float, Vector512<float>>(products);
        ReadOnlySpan<Vector512<float>> n = MemoryMarshal.Cast<float, Vector512<float>>(inverseLengths);
        Vector512<float> lowest = Vector512.Create(Masked);
        Vector512<float> largest = lowest;
        for (int i = 0; i < p.Length; i++)
        {
            largest = Vector512.Max(largest, p[i] * n[i]);
        }

        float next = MathF.Max(top, Largest(largest) * scale);
        Vector512<float> shift = Vector512.Create(next);
        Vector512<float> factor = Vector512.Create(scale);
        Vector512<float> sums = Vector512<float>.Zero;
        for (int i = 0; i < p.Length; i++)
        {
            sums += Vector512.Exp((Vector512.Max(p[i] * n[i], lowest) * factor) - shift);
        }

        sum = (sum * Math.Exp(top - next)) + Vector512.Sum(sums);
        top = next;
        int done = p.Length * Lanes;
        if (done < products.Length)
        {
            Span<float> rest = stackalloc float[Lanes];
            Span<float> lengths = stackalloc float[Lanes];
            Pad(products[done..], inverseLengths[done..], rest, lengths);
            AddExponents(rest, lengths, scale, ref top, ref sum);
        }
    }

    /// <summary>log(1 + x) for x in [0, 1], exact where 1 + x loses the digits of x.</summary>
    public static Vector512<float> LogPlus1(Vector512<float> x)
    {
        // Kahan: log(u) * x / (u - 1), where u is the rounded 1 + x.
        Vector512<float> u = Vector512<float>.One + x;
        Vector512<float> lost = u - Vector512<float>.One;
        return Vector512.ConditionalSelect(Vector512.Equals(lost, Vector512<float>.Zero), x, Vector512.Log(u) * (x / lost));
    }

    /// <summary>Copies the last cells of a row, fewer than a vector, and masks the others.</summary>
    private static void Pad(ReadOnlySpan<float> products, ReadOnlySpan<float> inverseLengths, Span<float> paddedProducts, Span<float> paddedLengths)
    {
        paddedProducts.Fill(Masked);
        paddedLengths.Fill(1);
        products.CopyTo(paddedProducts);
        inverseLengths.CopyTo(paddedLengths);
    }

    private static float Largest(Vector512<float> values)
    {
        float largest = values[0];
        for (int i = 1; i < Lanes; i++)
        {
            largest = MathF.Max(largest, values[i]); // Propagates NaN.
        }

        return largest;
    }
}
