using System.Numerics;

namespace UniFace.Gallery.Index.Storage;

/// <summary>
/// Some rows: their groups for the scan, their float values for the exact score, their ids and keys. The values are in memory, or are read row
/// by row from a file that the caller keeps open.
/// </summary>
internal sealed unsafe class RowBlock : IDisposable
{
    private const int MinOwned = 1024, MaxOwned = 65536;

    private readonly Func<int, float[]>? read;
    private float* values; // [capacity, D]; null if the values are in a file
    private int used;

    /// <summary>A block whose groups are not initialized.</summary>
    /// <param name="dimension">Values in a row.</param>
    /// <param name="capacity">Number of rows that fit.</param>
    /// <param name="used">Number of rows written.</param>
    /// <param name="read">Reads the values of a row; null if the block keeps them in memory.</param>
    public RowBlock(int dimension, int capacity, int used, Func<int, float[]>? read)
    {
        (Layout, Dimension, Capacity, this.used, this.read) = (new RowGroup(dimension), dimension, capacity, used, read);
        (Ids, Keys) = (new long[capacity], new long[capacity]);
        Groups = HugePages.Allocate(Math.Max(1, capacity / RowGroup.Rows * (long)Layout.Stride));
        if (IsOwned)
        {
            values = (float*)NativeMemory.AlignedAlloc((nuint)(capacity * (long)dimension * sizeof(float)), 64);
        }
    }

    /// <summary>Layout of a group.</summary>
    public RowGroup Layout { get; }

    /// <summary>Values in a row.</summary>
    public int Dimension { get; }

    /// <summary>Number of rows that fit.</summary>
    public int Capacity { get; }

    /// <summary>[capacity / 16] groups.</summary>
    public byte* Groups { get; private set; }

    /// <summary>[capacity].</summary>
    public long[] Ids { get; }

    /// <summary>[capacity].</summary>
    public long[] Keys { get; }

    /// <summary>True if the values are in memory, so that rows can be added.</summary>
    public bool IsOwned => read is null;

    /// <summary>Number of rows written, including removed ones.</summary>
    public int Used
    {
        get => Volatile.Read(ref used);
        set => Volatile.Write(ref used, value);
    }

    /// <summary>Number of groups to scan; even.</summary>
    public int UsedGroups => (Used + (2 * RowGroup.Rows) - 1) / (2 * RowGroup.Rows) * 2;

    /// <summary>The rows that are present, in the order of their numbers.</summary>
    public IEnumerable<RowSlot> PresentRows => Enumerable.Range(0, Used).Select(row => new RowSlot(this, row)).Where(slot => slot.IsPresent);

    /// <summary>An empty block with room for as many rows as all earlier blocks, within limits, so that memory grows with the rows.</summary>
    public static RowBlock Allocate(int dimension, long before)
    {
        int capacity = (int)Math.Clamp((long)BitOperations.RoundUpToPowerOf2((ulong)before), MinOwned, MaxOwned);
        RowBlock block = new(dimension, capacity, used: 0, read: null);
        for (int row = 0; row < capacity; row += RowGroup.Rows)
        {
            block.Layout.Clear(block.GetGroup(row));
        }

        return block;
    }

    /// <summary>The group that a row is in.</summary>
    public byte* GetGroup(int row) => Groups + ((long)(row / RowGroup.Rows) * Layout.Stride);

    /// <summary>The values of a row, [D].</summary>
    /// <exception cref="UniFaceException">Their file was truncated, or cannot be read.</exception>
    public ReadOnlySpan<float> Row(int row) => read is null ? OwnedRow(row) : read(row);

    /// <summary>The values of a row in memory, [D].</summary>
    public Span<float> OwnedRow(int row) => new(values + ((long)row * Dimension), Dimension);

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(Groups);
        NativeMemory.AlignedFree(values);
        Groups = null;
        values = null;
    }
}
