namespace UniFace.Gallery.Index.Search;

/// <summary>The queries of a scan: their codes in tiles, and the terms of their bounds. Disposed by the search that created it.</summary>
internal sealed unsafe class ScanQueries : IDisposable
{
    // Rounding of the scan's float arithmetic, relative to ||q|| * the largest ||r||; derived at ExactIndex.
    private const float Slack = 2e-6f;

    /// <summary>Quantises queries.</summary>
    /// <param name="queries">[count, D].</param>
    /// <param name="count">Number of queries.</param>
    /// <param name="dimension">D.</param>
    /// <param name="largestNorm">At least the norm of every row and of its quantised form.</param>
    public ScanQueries(ReadOnlySpan<float> queries, int count, int dimension, float largestNorm)
    {
        RowGroup layout = new(dimension);
        Count = count;
        Width = count == 1 ? 1 : QueryTile.Width;
        Tiles = (count + Width - 1) / Width;
        Scales = new float[Tiles * Width];
        Norms = new float[Tiles * Width];
        Margins = new float[Tiles * Width];
        TileWords = QueryTile.Words(layout, Width);
        Words = (int*)NativeMemory.AlignedAlloc((nuint)((long)Tiles * TileWords * sizeof(int)), 64);
        new Span<int>(Words, Tiles * TileWords).Clear();
        sbyte[] codes = new sbyte[layout.Padded];
        for (int q = 0; q < count; q++)
        {
            ReadOnlySpan<float> query = queries.Slice(q * dimension, dimension);
            Quantized quantized = RowQuantizer.QuantizeQuery(query, codes);
            QueryTile.Pack(layout, codes, Words + ((long)(q / Width) * TileWords), Width, q % Width);
            float norm = RowQuantizer.NormAbove(query);
            Scales[q] = quantized.Scale;
            Norms[q] = norm;
            Margins[q] = (quantized.Error * largestNorm) + (Slack * norm * largestNorm) + 1e-30f;
        }
    }

    /// <summary>Number of queries.</summary>
    public int Count { get; }

    /// <summary>Queries per tile: 1 or 8.</summary>
    public int Width { get; }

    /// <summary>Number of tiles.</summary>
    public int Tiles { get; }

    /// <summary>Words per tile.</summary>
    public int TileWords { get; }

    /// <summary>[tiles, words].</summary>
    public int* Words { get; private set; }

    /// <summary>Scale of each query's codes.</summary>
    public float[] Scales { get; }

    /// <summary>At least ||q|| of each query.</summary>
    public float[] Norms { get; }

    /// <summary>The part of each query's bound that does not depend on the row.</summary>
    public float[] Margins { get; }

    /// <summary>Frees the tiles.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(Words);
        Words = null;
    }
}
