namespace UniFace.Training.Head.Centers;

/// <summary>
/// The last part of an SGD step on a tile, v += (radial + decay) * w and w -= rate * v, on the CPU in float32.
/// Memory-bound, so fused into one pass.
/// </summary>
internal static class SgdRowKernel
{
    private const int RowsPerChunk = 64;

    /// <summary>True if the rows are contiguous float32 on the CPU.</summary>
    public static bool Supports(Tensor rows) =>
        rows.device.type == DeviceType.CPU && rows.dtype == ScalarType.Float32 && rows.is_contiguous();

    /// <summary>Updates the rows of a tile.</summary>
    /// <param name="rows">w, [T, D].</param>
    /// <param name="momentum">v, [T, D], which already contains the gradient.</param>
    /// <param name="radial">[T, 1], or null for 0.</param>
    /// <param name="decay">Weight decay.</param>
    /// <param name="rate">Learning rate; 0 leaves the rows unchanged.</param>
    public static void Run(Tensor rows, Tensor momentum, Tensor? radial, float decay, float rate)
    {
        int size = (int)rows.shape[1];
        int count = (int)rows.shape[0];
        WorkerThreads.For((count + RowsPerChunk - 1) / RowsPerChunk, chunk =>
        {
            Span<float> w = TensorMemory.Floats(rows);
            Span<float> v = TensorMemory.Floats(momentum);
            ReadOnlySpan<float> radials = radial is null ? [] : TensorMemory.Floats(radial);
            for (int row = chunk * RowsPerChunk; row < Math.Min(count, (chunk + 1) * RowsPerChunk); row++)
            {
                Update(w.Slice(row * size, size), v.Slice(row * size, size), decay + (radials.IsEmpty ? 0 : radials[row]), rate);
            }
        });
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Update(Span<float> w, Span<float> v, float coefficient, float rate)
    {
        Span<Vector512<float>> ws = MemoryMarshal.Cast<float, Vector512<float>>(w);
        Span<Vector512<float>> vs = MemoryMarshal.Cast<float, Vector512<float>>(v);
        Vector512<float> coefficients = Vector512.Create(coefficient);
        Vector512<float> step = Vector512.Create(-rate);
        for (int i = 0; i < ws.Length; i++)
        {
            Vector512<float> velocity = Vector512.FusedMultiplyAdd(coefficients, ws[i], vs[i]);
            vs[i] = velocity;
            ws[i] = Vector512.FusedMultiplyAdd(step, velocity, ws[i]);
        }

        for (int i = ws.Length * Vector512<float>.Count; i < w.Length; i++)
        {
            v[i] = MathF.FusedMultiplyAdd(coefficient, w[i], v[i]);
            w[i] = MathF.FusedMultiplyAdd(-rate, v[i], w[i]);
        }
    }
}
