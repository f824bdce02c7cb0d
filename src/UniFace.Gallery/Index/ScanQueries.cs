using System.Runtime.InteropServices;

namespace UniFace.Gallery.Index;

/// <summary>What a scan knows of its queries: codes in tiles, and what their bounds are made of. Disposed by the search that made it.</summary>
internal sealed unsafe class ScanQueries : IDisposable
{
    /// <summary>Rounding of the scan's float arithmetic, relative to ||q|| * the largest ||r||; see <see cref="ExactIndex"/>.</summary>
    private const float Slack = 2e-6f;

    private readonly RowGroup layout;

    /// <summary>Quantises queries.</summary>
    /// <param name="queries">[count, D].</param>
    /// <param name="count">How many.</param>
    /// <param name="dimension">D.</param>
    /// <param name="largestNorm">At least the norm of every row and of what stands for it.</param>
    public ScanQueries(ReadOnlySpan<float> queries, int count, int dimension, float largestNorm)
    {
        layout = new RowGroup(dimension);
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
            Quantized quantized = RowQuantizer.Query(query, codes);
            QueryTile.Pack(layout, codes, Words + ((long)(q / Width) * TileWords), Width, q % Width);
            float norm = RowQuantizer.NormAbove(query);
            Scales[q] = quantized.Scale;
            Norms[q] = norm;
            Margins[q] = (quantized.Error * largestNorm) + (Slack * norm * largestNorm) + 1e-30f;
        }
    }

    /// <summary>How many queries.</summary>
    public int Count { get; }

    /// <summary>Queries a tile: 1 or 8.</summary>
    public int Width { get; }

    /// <summary>How many tiles.</summary>
    public int Tiles { get; }

    /// <summary>Words of a tile.</summary>
    public int TileWords { get; }

    /// <summary>[tiles, words].</summary>
    public int* Words { get; private set; }

    /// <summary>Value of a step of a query's codes.</summary>
    public float[] Scales { get; }

    /// <summary>||q||, at least.</summary>
    public float[] Norms { get; }

    /// <summary>The part of the bound that no row changes.</summary>
    public float[] Margins { get; }

    /// <summary>Frees the tiles.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(Words);
        Words = null;
    }
}
