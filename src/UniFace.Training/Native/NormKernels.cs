using System.Buffers;

namespace UniFace.Training.Native;

/// <summary>
/// Batch normalization fused with PReLU and the sum of a residual block. Forward reads the input twice and writes once, backward reads four
/// times and writes once; libtorch's separate operators take three times as many passes, and its PReLU alone writes and reduces a full-size
/// gradient of the slopes. Sums are float32 within short blocks of rows, whose size does not depend on the number of threads, and float64
/// over the blocks.
/// </summary>
internal static unsafe class NormKernels
{
    /// <summary>Channels must be a multiple of this.</summary>
    public const int Lane = 16;

    private const int BlockFloats = 16384;
    private const int Unroll = 4;

    /// <summary>Mean and biased variance of each channel.</summary>
    public static void Statistics(ChannelsLastView x, float[] mean, float[] variance)
    {
        int channels = x.Channels;
        float[] pivot = new Span<float>(x.Pointer, channels).ToArray(); // Shifting by any value of the channel reduces cancellation.
        double[] sums = BlockSums(x, 2, (block, rows, first) =>
        {
            fixed (float* p = pivot)
            {
                Moments(x.Pointer + (first * channels), rows, channels, p, block);
            }
        });
        for (int c = 0; c < channels; c++)
        {
            double shifted = sums[c] / x.Count;
            mean[c] = (float)(pivot[c] + shifted);
            variance[c] = (float)Math.Max((sums[channels + c] / x.Count) - (shifted * shifted), 0);
        }
    }

    /// <summary>y = act(scale * (x - mean) + shift) + sum; act is PReLU, or the identity without slopes.</summary>
    public static void Apply(ChannelsLastView x, float[] mean, float[] scale, float[] shift, float[]? slope, nint sum, nint y)
    {
        int channels = x.Channels;
        ForBlocks(x, (rows, first) =>
        {
            long at = first * channels;
            fixed (float* m = mean, a = scale, b = shift, s = slope)
            {
                ApplyRows(x.Pointer + at, rows, channels, m, a, b, s, sum == 0 ? null : (float*)sum + at, (float*)y + at);
            }
        });
    }

    /// <summary>
    /// The per-channel sums of the backward pass, [3 * C]: of the gradient g before the activation, of g * (x - mean), and of the gradient of
    /// the slope.
    /// </summary>
    public static double[] GradientSums(ChannelsLastView x, nint gradient, float[] mean, float[] scale, float[] shift, float[]? slope)
    {
        int channels = x.Channels;
        return BlockSums(x, 3, (block, rows, first) =>
        {
            long at = first * channels;
            fixed (float* m = mean, a = scale, b = shift, s = slope)
            {
                SumRows(x.Pointer + at, (float*)gradient + at, rows, channels, m, a, b, s, block);
            }
        });
    }

    /// <summary>dx = byGradient * g + byInput * (x - mean) + constant, where g is the gradient before the activation.</summary>
    public static void InputGradient(
        ChannelsLastView x, nint gradient, float[] mean, float[] scale, float[] shift, float[]? slope,
        float[] byGradient, float[] byInput, float[] constant, nint dx)
    {
        int channels = x.Channels;
        ForBlocks(x, (rows, first) =>
        {
            long at = first * channels;
            fixed (float* m = mean, a = scale, b = shift, s = slope, p = byGradient, q = byInput, k = constant)
            {
                GradientRows(x.Pointer + at, (float*)gradient + at, rows, channels, m, a, b, s, p, q, k, (float*)dx + at);
            }
        });
    }

    private static int BlockRows(int channels) => Math.Max(BlockFloats / channels / Unroll, 1) * Unroll;

    private static void ForBlocks(ChannelsLastView x, Action<int, long> body)
    {
        int size = BlockRows(x.Channels);
        WorkerThreads.For((int)((x.Count + size - 1) / size), block =>
        {
            long first = (long)block * size;
            body((int)Math.Min(size, x.Count - first), first);
        });
    }

    private delegate void BlockSum(float* sums, int rows, long first);

    /// <summary>Sums over all rows, block by block: [kinds * channels].</summary>
    private static double[] BlockSums(ChannelsLastView x, int kinds, BlockSum body)
    {
        int width = kinds * x.Channels;
        int size = BlockRows(x.Channels);
        int blocks = (int)((x.Count + size - 1) / size);
        float[] all = ArrayPool<float>.Shared.Rent(blocks * width);
        try
        {
            WorkerThreads.For(blocks, block =>
            {
                long first = (long)block * size;
                all.AsSpan(block * width, width).Clear();
                fixed (float* sums = &all[block * width])
                {
                    body(sums, (int)Math.Min(size, x.Count - first), first);
                }
            });
            double[] total = new double[width];
            for (int block = 0; block < blocks; block++)
            {
                ReadOnlySpan<float> sums = all.AsSpan(block * width, width);
                for (int i = 0; i < width; i++)
                {
                    total[i] += sums[i];
                }
            }

            return total;
        }
        finally
        {
            ArrayPool<float>.Shared.Return(all);
        }
    }

    private static void Moments(float* x, int rows, int channels, float* pivot, float* sums)
    {
        int row = 0;
        for (; row + Unroll <= rows; row += Unroll, x += Unroll * channels)
        {
            for (int c = 0; c < channels; c += Lane)
            {
                Vector512<float> p = Vector512.Load(pivot + c);
                Vector512<float> a = Vector512.Load(x + c) - p;
                Vector512<float> b = Vector512.Load(x + channels + c) - p;
                Vector512<float> d = Vector512.Load(x + (2 * channels) + c) - p;
                Vector512<float> e = Vector512.Load(x + (3 * channels) + c) - p;
                Add(sums + c, a + b + (d + e));
                Add(sums + channels + c, Vector512.FusedMultiplyAdd(a, a, b * b) + Vector512.FusedMultiplyAdd(d, d, e * e));
            }
        }

        for (; row < rows; row++, x += channels)
        {
            for (int c = 0; c < channels; c += Lane)
            {
                Vector512<float> a = Vector512.Load(x + c) - Vector512.Load(pivot + c);
                Add(sums + c, a);
                Add(sums + channels + c, a * a);
            }
        }
    }

    private static void ApplyRows(float* x, int rows, int channels, float* mean, float* scale, float* shift, float* slope, float* sum, float* y)
    {
        for (int row = 0; row < rows; row++, x += channels, y += channels)
        {
            for (int c = 0; c < channels; c += Lane)
            {
                Vector512<float> centered = Vector512.Load(x + c) - Vector512.Load(mean + c);
                Vector512<float> z = Vector512.FusedMultiplyAdd(centered, Vector512.Load(scale + c), Vector512.Load(shift + c));
                if (slope != null)
                {
                    z = Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), z, z * Vector512.Load(slope + c));
                }

                if (sum != null)
                {
                    z += Vector512.Load(sum + c);
                }

                z.Store(y + c);
            }

            if (sum != null)
            {
                sum += channels;
            }
        }
    }

    private static void SumRows(float* x, float* gradient, int rows, int channels, float* mean, float* scale, float* shift, float* slope, float* sums)
    {
        int row = 0;
        for (; row + 2 <= rows; row += 2, x += 2 * channels, gradient += 2 * channels)
        {
            for (int c = 0; c < channels; c += Lane)
            {
                Vector512<float> m = Vector512.Load(mean + c);
                Vector512<float> x0 = Vector512.Load(x + c) - m;
                Vector512<float> x1 = Vector512.Load(x + channels + c) - m;
                Vector512<float> g0 = Vector512.Load(gradient + c);
                Vector512<float> g1 = Vector512.Load(gradient + channels + c);
                if (slope != null)
                {
                    Vector512<float> a = Vector512.Load(scale + c);
                    Vector512<float> b = Vector512.Load(shift + c);
                    Vector512<float> s = Vector512.Load(slope + c);
                    Vector512<float> d0 = Activation(ref g0, Vector512.FusedMultiplyAdd(x0, a, b), s);
                    Vector512<float> d1 = Activation(ref g1, Vector512.FusedMultiplyAdd(x1, a, b), s);
                    Add(sums + (2 * channels) + c, d0 + d1);
                }

                Add(sums + c, g0 + g1);
                Add(sums + channels + c, Vector512.FusedMultiplyAdd(g0, x0, g1 * x1));
            }
        }

        if (row < rows)
        {
            for (int c = 0; c < channels; c += Lane)
            {
                Vector512<float> x0 = Vector512.Load(x + c) - Vector512.Load(mean + c);
                Vector512<float> g0 = Vector512.Load(gradient + c);
                if (slope != null)
                {
                    Vector512<float> z = Vector512.FusedMultiplyAdd(x0, Vector512.Load(scale + c), Vector512.Load(shift + c));
                    Add(sums + (2 * channels) + c, Activation(ref g0, z, Vector512.Load(slope + c)));
                }

                Add(sums + c, g0);
                Add(sums + channels + c, g0 * x0);
            }
        }
    }

    private static void GradientRows(
        float* x, float* gradient, int rows, int channels, float* mean, float* scale, float* shift, float* slope,
        float* byGradient, float* byInput, float* constant, float* dx)
    {
        for (int row = 0; row < rows; row++, x += channels, gradient += channels, dx += channels)
        {
            for (int c = 0; c < channels; c += Lane)
            {
                Vector512<float> value = Vector512.Load(x + c) - Vector512.Load(mean + c);
                Vector512<float> g = Vector512.Load(gradient + c);
                if (slope != null)
                {
                    Vector512<float> z = Vector512.FusedMultiplyAdd(value, Vector512.Load(scale + c), Vector512.Load(shift + c));
                    g = Vector512.ConditionalSelect(Vector512.GreaterThan(z, Vector512<float>.Zero), g, g * Vector512.Load(slope + c));
                }

                Vector512<float> linear = Vector512.FusedMultiplyAdd(value, Vector512.Load(byInput + c), Vector512.Load(constant + c));
                Vector512.FusedMultiplyAdd(g, Vector512.Load(byGradient + c), linear).Store(dx + c);
            }
        }
    }

    /// <summary>Propagates a gradient through PReLU at z; returns the gradient of the slope.</summary>
    private static Vector512<float> Activation(ref Vector512<float> g, Vector512<float> z, Vector512<float> slope)
    {
        Vector512<float> positive = Vector512.GreaterThan(z, Vector512<float>.Zero);
        Vector512<float> slopeGradient = Vector512.ConditionalSelect(positive, Vector512<float>.Zero, g * z);
        g = Vector512.ConditionalSelect(positive, g, g * slope);
        return slopeGradient;
    }

    private static void Add(float* target, Vector512<float> value) => (Vector512.Load(target) + value).Store(target);
}
