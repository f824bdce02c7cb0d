using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>
/// The end of a step of SGD on a tile, v += (along + decay) * w and w -= rate * v, in one pass over both, on the CPU in float32: they are
/// the largest thing there is, and every pass over them costs what memory costs.
/// </summary>
internal static class RowMove
{
    private const int RowsAtOnce = 64;

    /// <summary>True where a tile can be moved so.</summary>
    public static bool Fits(Tensor rows) => rows.device.type == TorchSharp.DeviceType.CPU && rows.dtype == ScalarType.Float32 && rows.is_contiguous();

    /// <summary>Moves the rows.</summary>
    /// <param name="rows">w, [T, D].</param>
    /// <param name="momentum">v, [T, D], with the gradient in it already.</param>
    /// <param name="along">[T, 1], or null for 0.</param>
    /// <param name="decay">Weight decay.</param>
    /// <param name="rate">Learning rate; 0 leaves the rows.</param>
    public static void Run(Tensor rows, Tensor momentum, Tensor? along, float decay, float rate)
    {
        int size = (int)rows.shape[1];
        int count = (int)rows.shape[0];
        WorkerThreads.For((count + RowsAtOnce - 1) / RowsAtOnce, chunk =>
        {
            Span<float> w = TensorMemory.Floats(rows);
            Span<float> v = TensorMemory.Floats(momentum);
            ReadOnlySpan<float> a = along is null ? [] : TensorMemory.Floats(along);
            for (int row = chunk * RowsAtOnce; row < Math.Min(count, (chunk + 1) * RowsAtOnce); row++)
            {
                Move(w.Slice(row * size, size), v.Slice(row * size, size), decay + (a.IsEmpty ? 0 : a[row]), rate);
            }
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Move(Span<float> w, Span<float> v, float along, float rate)
    {
        Span<Vector512<float>> ws = MemoryMarshal.Cast<float, Vector512<float>>(w);
        Span<Vector512<float>> vs = MemoryMarshal.Cast<float, Vector512<float>>(v);
        Vector512<float> pull = Vector512.Create(along);
        Vector512<float> step = Vector512.Create(-rate);
        for (int i = 0; i < ws.Length; i++)
        {
            Vector512<float> moved = Vector512.FusedMultiplyAdd(pull, ws[i], vs[i]);
            vs[i] = moved;
            ws[i] = Vector512.FusedMultiplyAdd(step, moved, ws[i]);
        }

        for (int i = ws.Length * Vector512<float>.Count; i < w.Length; i++)
        {
            v[i] = MathF.FusedMultiplyAdd(along, w[i], v[i]);
            w[i] = MathF.FusedMultiplyAdd(-rate, v[i], w[i]);
        }
    }
}
