namespace UniFace.Gallery.Index.Kernels;

/// <summary>
/// Quantized queries in the order in which the kernels read them: for each chunk of 32 dimensions one correction per query, then eight steps
/// of one 32-bit word per query. A word holds four codes and is broadcast over 16 rows.
/// </summary>
/// <remarks>The correction subtracts the 128 that was added to the rows' codes; it wraps in 16 bits as the sum does.</remarks>
internal static unsafe class QueryTile
{
    /// <summary>Queries of a full tile.</summary>
    public const int Width = 8;

    /// <summary>Words of a tile of <paramref name="width"/> queries.</summary>
    public static int Words(RowGroup layout, int width) => layout.Chunks * (1 + (RowQuantizer.Chunk / 4)) * width;

    /// <summary>Writes the codes of one query of a tile.</summary>
    public static void Pack(RowGroup layout, ReadOnlySpan<sbyte> codes, int* tile, int width, int query)
    {
        int* word = tile + query;
        for (int first = 0; first < layout.Padded; first += RowQuantizer.Chunk)
        {
            int even = 0, odd = 0;
            for (int i = first; i < first + RowQuantizer.Chunk; i++)
            {
                (even, odd) = (i & 2) == 0 ? (even + codes[i], odd) : (even, odd + codes[i]);
            }

            *word = ((-128 * even) & 0xFFFF) | ((-128 * odd) << 16);
            word += width;
            for (int i = first; i < first + RowQuantizer.Chunk; i += 4)
            {
                *word = (byte)codes[i] | ((byte)codes[i + 1] << 8) | ((byte)codes[i + 2] << 16) | (codes[i + 3] << 24);
                word += width;
            }
        }
    }
}
