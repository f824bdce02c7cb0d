using System.Numerics;
using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>
/// Blocks of memory for the rows of a tile and their momentum as float32 on the CPU, where they cannot be worked on in place: because
/// they are drawn from all over, or stored in bfloat16. Made once a walk and used again by each tile.
/// </summary>
internal sealed unsafe class RowCopies
{
    private const int RowsAtOnce = 64;
    private readonly Tensor rows; // [T * K, D]
    private readonly Tensor momentum; // [T * K, D]

    public RowCopies(int tileRows, int size)
    {
        rows = empty([tileRows, size], dtype: ScalarType.Float32);
        momentum = empty([tileRows, size], dtype: ScalarType.Float32);
    }

    /// <summary>The rows of all [C * K, D] that a tile asks for, [T * K, D] float32.</summary>
    /// <param name="all">Float32 or bfloat16.</param>
    /// <param name="at">Where each of the tile's rows stands.</param>
    /// <param name="count">T * K.</param>
    /// <param name="isMomentum">Which of the two blocks takes them.</param>
    public Tensor Load(Tensor all, Func<int, long> at, int count, bool isMomentum)
    {
        Tensor into = (isMomentum ? momentum : rows).narrow(0, 0, count);
        int size = (int)all.shape[1];
        nint from = TensorMemory.Address(all);
        nint to = TensorMemory.Address(into);
        bool half = all.dtype == ScalarType.BFloat16;
        WorkerThreads.For((count + RowsAtOnce - 1) / RowsAtOnce, chunk =>
        {
            for (int i = chunk * RowsAtOnce; i < Math.Min(count, (chunk + 1) * RowsAtOnce); i++)
            {
                Span<uint> row = new((uint*)to + ((long)i * size), size);
                if (half)
                {
                    Widen(new ReadOnlySpan<ushort>((ushort*)from + (at(i) * size), size), row);
                }
                else
                {
                    new ReadOnlySpan<uint>((uint*)from + (at(i) * size), size).CopyTo(row);
                }
            }
        });
        return into;
    }

    /// <summary>Puts rows back where they came from; bfloat16 is rounded stochastically.</summary>
    /// <param name="values">[T * K, D] float32.</param>
    /// <param name="all">[C * K, D] float32 or bfloat16.</param>
    /// <param name="at">Where each of the tile's rows stands.</param>
    /// <param name="seed">Seed of the rounding.</param>
    public static void Store(Tensor values, Tensor all, Func<int, long> at, ulong seed)
    {
        int count = (int)values.shape[0];
        int size = (int)values.shape[1];
        nint from = TensorMemory.Address(values);
        nint to = TensorMemory.Address(all);
        bool half = all.dtype == ScalarType.BFloat16;
        uint draw = unchecked((uint)(seed ^ (seed >> 32)));
        WorkerThreads.For((count + RowsAtOnce - 1) / RowsAtOnce, chunk =>
        {
            for (int i = chunk * RowsAtOnce; i < Math.Min(count, (chunk + 1) * RowsAtOnce); i++)
            {
                ReadOnlySpan<uint> row = new((uint*)from + ((long)i * size), size);
                if (half)
                {
                    StochasticRounding.Round(row, new Span<ushort>((ushort*)to + (at(i) * size), size), unchecked(draw + (uint)(i * size)));
                }
                else
                {
                    row.CopyTo(new Span<uint>((uint*)to + (at(i) * size), size));
                }
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
