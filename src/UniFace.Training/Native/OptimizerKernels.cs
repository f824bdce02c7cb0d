namespace UniFace.Training.Native;

/// <summary>The coefficients of one step of AdamW.</summary>
/// <param name="Beta1">Decay of the mean.</param>
/// <param name="New1">1 - Beta1, computed before rounding to float.</param>
/// <param name="Beta2">Decay of the mean square.</param>
/// <param name="New2">1 - Beta2, computed before rounding to float.</param>
/// <param name="Keep">1 - rate * decay: the factor that weight decay applies to a value.</param>
/// <param name="Rate">Learning rate divided by the bias correction of the mean.</param>
/// <param name="Root">Square root of the bias correction of the mean square.</param>
/// <param name="Epsilon">Added to the root of the mean square.</param>
internal readonly record struct AdamStep(float Beta1, float New1, float Beta2, float New2, float Keep, float Rate, float Root, float Epsilon);

/// <summary>Optimizer updates of parameter slices. They are memory-bound, so each block stays in the cache for all operations on it.</summary>
internal static unsafe class OptimizerKernels
{
    private const int Block = 1024;

    /// <summary>
    /// v = momentum * v + (g + decay * w), w = w - rate * v, rounded as libtorch's separate operators round, so the bits are the same.
    /// Without momentum, v = g + decay * w.
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
    public static void AdamW(in ParameterSlice slice, in AdamStep step)
    {
        Span<float> buffer = stackalloc float[Block], second = stackalloc float[Block];
        for (int start = 0; start < slice.Length; start += Block)
        {
            int length = Math.Min(Block, slice.Length - start);
            Span<float> w = Values(slice.Value, start, length), g = Values(slice.Gradient, start, length);
            Span<float> m = Values(slice.State, start, length), v = Values(slice.Second, start, length);
            Span<float> root = buffer[..length], move = second[..length];
            TensorPrimitives.Multiply(m, step.Beta1, m);
            TensorPrimitives.FusedMultiplyAdd(g, step.New1, m, m);
            TensorPrimitives.Multiply(v, step.Beta2, v);
            TensorPrimitives.Multiply(g, step.New2, root);
            TensorPrimitives.FusedMultiplyAdd(root, g, v, v);
            TensorPrimitives.Sqrt(v, root);
            TensorPrimitives.Divide(root, step.Root, root);
            TensorPrimitives.Add(root, step.Epsilon, root);
            TensorPrimitives.Multiply(m, step.Rate, move);
            TensorPrimitives.Divide(move, root, move);
            TensorPrimitives.Multiply(w, slice.Decays ? step.Keep : 1, w);
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
