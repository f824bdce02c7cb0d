using System.Runtime.InteropServices;

namespace UniFace.Gallery.Index;

/// <summary>
/// Memory of some rows: their groups for the scan, their float values for the exact score, their ids and keys. The values are in its memory, or are
/// read row by row from a file that somebody else holds open.
/// </summary>
internal sealed unsafe class RowBlock : IDisposable
{
    private const int SmallestOwned = 1024, LargestOwned = 65536;

    private readonly Func<int, float[]>? stored;
    private int used;

    private RowBlock(int dimension, int capacity, byte* groups, float* values, Func<int, float[]>? stored, long* ids, long* keys, int used)
    {
        Layout = new RowGroup(dimension);
        Dimension = dimension;
        Capacity = capacity;
        this.stored = stored;
        Groups = groups;
        Values = values;
        Ids = ids;
        Keys = keys;
        this.used = used;
    }

    /// <summary>How a group lies.</summary>
    public RowGroup Layout { get; }

    /// <summary>Values of a row.</summary>
    public int Dimension { get; }

    /// <summary>Rows that there is room for.</summary>
    public int Capacity { get; }

    // [capacity, D]; null where the values are in a file.
    private float* Values { get; set; }

    /// <summary>[capacity / 16] groups.</summary>
    public byte* Groups { get; private set; }

    /// <summary>[capacity].</summary>
    public long* Ids { get; private set; }

    /// <summary>[capacity].</summary>
    public long* Keys { get; private set; }

    /// <summary>True where rows can be added.</summary>
    public bool IsOwned => stored is null;

    /// <summary>Rows written so far, removed ones among them.</summary>
    public int Used
    {
        get => Volatile.Read(ref used);
        set => Volatile.Write(ref used, value);
    }

    /// <summary>Groups to scan, an even number.</summary>
    public int UsedGroups => (Used + (2 * RowGroup.Rows) - 1) / (2 * RowGroup.Rows) * 2;

    /// <summary>An empty block, as large as all before it together within limits, so that memory grows with the rows.</summary>
    public static RowBlock Allocate(int dimension, long before)
    {
        int capacity = (int)Math.Clamp((long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)before), SmallestOwned, LargestOwned);
        RowGroup layout = new(dimension);
        byte* groups = HugePages.Allocate(capacity / RowGroup.Rows * (long)layout.Stride);
        float* values = (float*)NativeMemory.AlignedAlloc((nuint)(capacity * (long)dimension * sizeof(float)), 64);
        long* ids = (long*)NativeMemory.AllocZeroed((nuint)capacity, sizeof(long));
        long* keys = (long*)NativeMemory.AllocZeroed((nuint)capacity, sizeof(long));
        for (int g = 0; g < capacity / RowGroup.Rows; g++)
        {
            layout.Clear(groups + ((long)g * layout.Stride));
        }

        return new RowBlock(dimension, capacity, groups, values, null, ids, keys, 0);
    }

    /// <summary>A block of rows whose values are in a file; the memory given is taken over, to be freed by <see cref="Dispose"/>.</summary>
    public static RowBlock Stored(int dimension, int capacity, int rows, byte* groups, long* ids, long* keys, Func<int, float[]> read) =>
        new(dimension, capacity, groups, null, read, ids, keys, rows);

    /// <summary>The group that a row is in.</summary>
    public byte* GroupOf(int row) => Groups + ((long)(row / RowGroup.Rows) * Layout.Stride);

    /// <summary>True where the row is there.</summary>
    public bool IsPresent(int row) => Layout.IsPresent(GroupOf(row), row % RowGroup.Rows);

    /// <summary>The values of a row, [D].</summary>
    /// <exception cref="UniFaceException">They are in a file that was cut off meanwhile, or cannot be read.</exception>
    public ReadOnlySpan<float> Row(int row) => stored is null ? OwnedRow(row) : stored(row);

    /// <summary>The values of a row in memory, [D].</summary>
    public Span<float> OwnedRow(int row) => new(Values + ((long)row * Dimension), Dimension);

    /// <summary>Leaves nothing of a removed row.</summary>
    public void Wipe(int row)
    {
        Layout.Wipe(GroupOf(row), row % RowGroup.Rows);
        if (IsOwned)
        {
            OwnedRow(row).Clear();
        }
    }

    /// <summary>Frees the memory.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(Groups);
        NativeMemory.AlignedFree(Values);
        NativeMemory.Free(Ids);
        NativeMemory.Free(Keys);

        Groups = null;
        Values = null;
        Ids = null;
        Keys = null;
    }
}
