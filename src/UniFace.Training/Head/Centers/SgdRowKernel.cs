namespace UniFace.Training.Head.Centers;

/// <summary>
/// The last part of an SGD step on a tile, v += (radial + decay) * w and w -= rate * v, on the CPU in float32.
/// Memory-bound, so each row stays in the cache for both.
/// </summary>
internal static unsafe class SgdRowKernel
{
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
        nint weights = TensorMemory.Address(rows), velocities = TensorMemory.Address(momentum), pulls = radial is null ? 0 : TensorMemory.Address(radial);
        WorkerThreads.ForRows((int)rows.shape[0], row =>
        {
            Span<float> w = new((float*)weights + ((long)row * size), size), v = new((float*)velocities + ((long)row * size), size);
            TensorPrimitives.FusedMultiplyAdd(w, decay + (pulls == 0 ? 0 : ((float*)pulls)[row]), v, v);
            TensorPrimitives.FusedMultiplyAdd(v, -rate, w, w);
        });
    }
}
