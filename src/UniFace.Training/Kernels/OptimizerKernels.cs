namespace UniFace.Training.Kernels;

/// <summary>Optimizer updates of parameter slices. They are memory-bound, so each block stays in the cache for all operations on it.</summary>
internal static unsafe class OptimizerKernels
{
    private const int Block = 1024;

    /// <summary>
    /// v = momentum * v + (g + decay * w), w = w - rate * v; without momentum, v = g + decay * w. Multiplications and additions are fused, so
    /// results differ from those of libtorch's operators by rounding.
    /// </summary>
    public static void Sgd(in ParameterSlice slice, double momentum, double decay, double rate)
    {
        float* buffer = stackalloc float[Block];
        for (int start = 0; start < slice.Length; start += Block)
        {
            int length = Math.Min(Block, slice.Length - start);
            Span<float> w = Values(slice.Value, start, length), g = Values(slice.Gradient, start, length), step = g;
            if (slice.Decays && decay != 0)
            {
                step = new Span<float>(buffer, length);
                TensorPrimitives.FusedMultiplyAdd(w, (float)decay, g, step);
            }

            if (slice.State != 0)
            {
                Span<float> v = Values(slice.State, start, length);
                TensorPrimitives.Multiply(v, (float)momentum, v);
                TensorPrimitives.Add(v, step, v);
                step = v;
            }

            TensorPrimitives.FusedMultiplyAdd(step, (float)-rate, w, w);
        }
    }

    /// <summary>
    /// w = keep * w if weight decay applies; m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2;
    /// w = w - rate * m / (sqrt(v) / root + epsilon), where m is the first state and v the second.
    /// </summary>
    /// <param name="slice">The slice.</param>
    /// <param name="beta1">Decay of the mean.</param>
    /// <param name="beta2">Decay of the mean square.</param>
    /// <param name="keep">The factor that weight decay applies to a value.</param>
    /// <param name="rate">Learning rate divided by the bias correction of the mean.</param>
    /// <param name="root">Square root of the bias correction of the mean square.</param>
    /// <param name="epsilon">Added to the root of the mean square.</param>
    public static void AdamW(in ParameterSlice slice, double beta1, double beta2, double keep, double rate, double root, double epsilon)
    {
        Span<float> buffer = stackalloc float[Block], second = stackalloc float[Block];
        for (int start = 0; start < slice.Length; start += Block)
        {
            int length = Math.Min(Block, slice.Length - start);
            Span<float> w = Values(slice.Value, start, length), g = Values(slice.Gradient, start, length);
            Span<float> m = Values(slice.State, start, length), v = Values(slice.Second, start, length);
            Span<float> scratch = buffer[..length], move = second[..length];
            TensorPrimitives.Multiply(m, (float)beta1, m);
            TensorPrimitives.FusedMultiplyAdd(g, (float)(1 - beta1), m, m);
            TensorPrimitives.Multiply(v, (float)beta2, v);
            TensorPrimitives.Multiply(g, (float)(1 - beta2), scratch);
            TensorPrimitives.FusedMultiplyAdd(scratch, g, v, v);
            TensorPrimitives.Sqrt(v, scratch);
            TensorPrimitives.Divide(scratch, (float)root, scratch);
            TensorPrimitives.Add(scratch, (float)epsilon, scratch);
            TensorPrimitives.Multiply(m, (float)rate, move);
            TensorPrimitives.Divide(move, scratch, move);
            TensorPrimitives.Multiply(w, slice.Decays ? (float)keep : 1, w);
            TensorPrimitives.Subtract(w, move, w);
        }
    }

    /// <summary>
    /// Moving average, with the other value in place of the gradient: value = decay * value + (1 - decay) * other. Both factors come from one
    /// rounded decay and sum to 1, so that the average of a constant is that constant.
    /// </summary>
    public static void Average(in ParameterSlice slice, float decay)
    {
        for (int start = 0; start < slice.Length; start += Block)
        {
            int length = Math.Min(Block, slice.Length - start);
            Span<float> value = Values(slice.Value, start, length);
            TensorPrimitives.Multiply(value, decay, value);
            TensorPrimitives.FusedMultiplyAdd(Values(slice.Gradient, start, length), 1 - decay, value, value);
        }
    }

    /// <summary>The sum of the squares of the gradient: float32 within blocks, float64 over them.</summary>
    public static double SquaredNorm(in ParameterSlice slice)
    {
        double total = 0;
        for (int start = 0; start < slice.Length; start += Block)
        {
            total += TensorPrimitives.SumOfSquares<float>(Values(slice.Gradient, start, Math.Min(Block, slice.Length - start)));
        }

        return total;
    }

    /// <summary>g = factor * g.</summary>
    public static void Scale(in ParameterSlice slice, float factor)
    {
        Span<float> g = Values(slice.Gradient, 0, slice.Length);
        TensorPrimitives.Multiply(g, factor, g);
    }

    private static Span<float> Values(nint address, int start, int length) => new((float*)address + start, length);
}
