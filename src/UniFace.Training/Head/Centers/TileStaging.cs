using System.Numerics;

namespace UniFace.Training.Head.Centers;

/// <summary>
/// Staging memory for the rows of a tile and their momentum as float32 on the CPU, for rows that cannot be updated in place because they
/// are scattered or stored in bfloat16. Allocated once per pass and reused by each tile.
/// </summary>
internal sealed unsafe class TileStaging(int tileRows, int size)
{
    private readonly Tensor rows = empty([tileRows, size], dtype: ScalarType.Float32); // [T * K, D]
    private readonly Tensor momentum = empty([tileRows, size], dtype: ScalarType.Float32); // [T * K, D]

    /// <summary>Gathers the rows of a tile, [T * K, D] float32.</summary>
    /// <param name="all">[C * K, D], float32 or bfloat16.</param>
    /// <param name="indexOf">Maps a row of the tile to its index in <paramref name="all"/>.</param>
    /// <param name="count">T * K.</param>
    /// <param name="isMomentum">Which of the two blocks is filled.</param>
    public Tensor Load(Tensor all, Func<int, long> indexOf, int count, bool isMomentum)
    {
        Tensor block = (isMomentum ? momentum : rows).narrow(0, 0, count);
        nint from = TensorMemory.Address(all);
        nint to = TensorMemory.Address(block);
        bool half = all.dtype == ScalarType.BFloat16;
        WorkerThreads.ForRows(count, i =>
        {
            Span<uint> row = new((uint*)to + ((long)i * size), size);
            if (half)
            {
                Widen(new ReadOnlySpan<ushort>((ushort*)from + (indexOf(i) * size), size), row);
            }
            else
            {
                new ReadOnlySpan<uint>((uint*)from + (indexOf(i) * size), size).CopyTo(row);
            }
        });
        return block;
    }

    /// <summary>Scatters the rows of a tile back; bfloat16 is rounded stochastically.</summary>
    /// <param name="values">[T * K, D] float32.</param>
    /// <param name="all">[C * K, D], float32 or bfloat16.</param>
    /// <param name="indexOf">Maps a row of the tile to its index in <paramref name="all"/>.</param>
    /// <param name="seed">
    /// Seed of the rounding of row 0 of <paramref name="all"/>. The draw of an element depends on its place in <paramref name="all"/>, not on the tile.
    /// </param>
    public static void Store(Tensor values, Tensor all, Func<int, long> indexOf, uint seed)
    {
        int size = (int)values.shape[1];
        nint from = TensorMemory.Address(values);
        nint to = TensorMemory.Address(all);
        bool half = all.dtype == ScalarType.BFloat16;
        WorkerThreads.ForRows((int)values.shape[0], i =>
        {
            ReadOnlySpan<uint> row = new((uint*)from + ((long)i * size), size);
            long offset = indexOf(i) * size;
            if (half)
            {
                StochasticRounding.Round(row, new Span<ushort>((ushort*)to + offset, size), unchecked(seed + (uint)offset));
            }
            else
            {
                row.CopyTo(new Span<uint>((uint*)to + offset, size));
            }
        });
    }

    /// <summary>bfloat16 is the upper half of float32.</summary>
    private static void Widen(ReadOnlySpan<ushort> from, Span<uint> to)
    {
        int lanes = Vector<ushort>.Count;
        int i = 0;
        for (; i <= from.Length - lanes; i += lanes)
        {
            Vector.Widen(new Vector<ushort>(from[i..]), out Vector<uint> low, out Vector<uint> high);
            Vector.ShiftLeft(low, 16).CopyTo(to[i..]);
            Vector.ShiftLeft(high, 16).CopyTo(to[(i + (lanes / 2))..]);
        }

        for (; i < from.Length; i++)
        {
            to[i] = (uint)from[i] << 16;
        }
    }
}
