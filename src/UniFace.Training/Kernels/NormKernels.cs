using System.Buffers;
using static System.Runtime.Intrinsics.Vector512;

namespace UniFace.Training.Kernels;

/// <summary>What a batch norm and the PReLU after it do to each channel: act(scale * (x - mean) + shift).</summary>
/// <param name="Mean">Means, [C].</param>
/// <param name="Scale">Scales, [C].</param>
/// <param name="Shift">Shifts, [C].</param>
/// <param name="Slope">Slopes of the PReLU, [C]; null for the identity.</param>
internal readonly record struct NormCoefficients(float[] Mean, float[] Scale, float[] Shift, float[]? Slope);

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
        float[] pivots = new Span<float>(x.Pointer, channels).ToArray(); // Shifting by any value of the channel reduces cancellation.
        double[] sums = BlockSums(x, 2, (block, rows, offset) =>
        {
            fixed (float* pivot = pivots)
            {
                Moments(x.Pointer + offset, rows, channels, pivot, block);
            }
        });
        for (int c = 0; c < channels; c++)
        {
            double shifted = sums[c] / x.Count;
            mean[c] = (float)(pivots[c] + shifted);
            variance[c] = (float)Math.Max((sums[channels + c] / x.Count) - (shifted * shifted), 0);
        }
    }

    /// <summary>y = act(scale * (x - mean) + shift) + residual.</summary>
    /// <param name="x">The input.</param>
    /// <param name="norm">The coefficients.</param>
    /// <param name="residual">Address of the residual, or 0.</param>
    /// <param name="y">Address of the output.</param>
    public static void Apply(ChannelsLastView x, NormCoefficients norm, nint residual, nint y) => ForBlocks(x, (_, rows, offset) =>
    {
        int channels = x.Channels;
        float* input = x.Pointer + offset, added = (float*)residual + offset, output = (float*)y + offset;
        fixed (float* mean = norm.Mean, scale = norm.Scale, shift = norm.Shift, slope = norm.Slope)
        {
            for (int row = 0; row < rows; row++, input += channels, added += channels, output += channels)
            {
                for (int c = 0; c < channels; c += Lane)
                {
                    Vector512<float> z = FusedMultiplyAdd(Load(input + c) - Load(mean + c), Load(scale + c), Load(shift + c));
                    if (slope != null)
                    {
                        z = Select(z, z, z * Load(slope + c));
                    }

                    if (residual != 0)
                    {
                        z += Load(added + c);
                    }

                    z.Store(output + c);
                }
            }
        }
    });

    /// <summary>
    /// The per-channel sums of the backward pass, [3 * C]: of the gradient g before the activation, of g * (x - mean), and of the gradient of
    /// the slope.
    /// </summary>
    public static double[] GradientSums(ChannelsLastView x, nint gradient, NormCoefficients norm) => BlockSums(x, 3, (sums, rows, offset) =>
    {
        int channels = x.Channels;
        float* input = x.Pointer + offset, output = (float*)gradient + offset;
        fixed (float* mean = norm.Mean, scale = norm.Scale, shift = norm.Shift, slope = norm.Slope)
        {
            int row = 0;
            for (; row + 2 <= rows; row += 2, input += 2 * channels, output += 2 * channels)
            {
                for (int c = 0; c < channels; c += Lane)
                {
                    Vector512<float> m = Load(mean + c);
                    Vector512<float> x0 = Load(input + c) - m;
                    Vector512<float> x1 = Load(input + channels + c) - m;
                    Vector512<float> g0 = Load(output + c);
                    Vector512<float> g1 = Load(output + channels + c);
                    if (slope != null)
                    {
                        Vector512<float> a = Load(scale + c);
                        Vector512<float> b = Load(shift + c);
                        Vector512<float> s = Load(slope + c);
                        Add(sums + (2 * channels) + c, Activation(ref g0, FusedMultiplyAdd(x0, a, b), s) + Activation(ref g1, FusedMultiplyAdd(x1, a, b), s));
                    }

                    Add(sums + c, g0 + g1);
                    Add(sums + channels + c, FusedMultiplyAdd(g0, x0, g1 * x1));
                }
            }

            for (int c = 0; c < channels && row < rows; c += Lane)
            {
                Vector512<float> x0 = Load(input + c) - Load(mean + c);
                Vector512<float> g0 = Load(output + c);
                if (slope != null)
                {
                    Add(sums + (2 * channels) + c, Activation(ref g0, FusedMultiplyAdd(x0, Load(scale + c), Load(shift + c)), Load(slope + c)));
                }

                Add(sums + c, g0);
                Add(sums + channels + c, g0 * x0);
            }
        }
    });

    /// <summary>dx = scale * g + byInput * (x - mean) + constant, where g is the gradient before the activation.</summary>
    public static void InputGradient(ChannelsLastView x, nint gradient, NormCoefficients norm, float[] byInput, float[] constant, nint dx) =>
        ForBlocks(x, (_, rows, offset) =>
    {
        int channels = x.Channels;
        float* input = x.Pointer + offset, output = (float*)gradient + offset, result = (float*)dx + offset;
        fixed (float* mean = norm.Mean, scale = norm.Scale, shift = norm.Shift, slope = norm.Slope, factor = byInput, term = constant)
        {
            for (int row = 0; row < rows; row++, input += channels, output += channels, result += channels)
            {
                for (int c = 0; c < channels; c += Lane)
                {
                    Vector512<float> centered = Load(input + c) - Load(mean + c);
                    Vector512<float> g = Load(output + c);
                    if (slope != null)
                    {
                        g = Select(FusedMultiplyAdd(centered, Load(scale + c), Load(shift + c)), g, g * Load(slope + c));
                    }

                    Vector512<float> linear = FusedMultiplyAdd(centered, Load(factor + c), Load(term + c));
                    FusedMultiplyAdd(g, Load(scale + c), linear).Store(result + c);
                }
            }
        }
    });

    private delegate void BlockBody(float* sums, int rows, long offset);

    /// <summary>Sums over all rows, block by block: [kinds * channels].</summary>
    private static double[] BlockSums(ChannelsLastView x, int kinds, BlockBody body)
    {
        int width = kinds * x.Channels;
        float[] all = ArrayPool<float>.Shared.Rent(Blocks(x) * width);
        try
        {
            ForBlocks(x, (block, rows, offset) =>
            {
                all.AsSpan(block * width, width).Clear();
                fixed (float* sums = &all[block * width])
                {
                    body(sums, rows, offset);
                }
            });
            double[] total = new double[width];
            for (int block = 0; block < Blocks(x); block++)
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

    /// <summary>Calls a kernel for every block with its number, its rows and the offset of its first value.</summary>
    private static void ForBlocks(ChannelsLastView x, Action<int, int, long> body)
    {
        int size = BlockRows(x);
        WorkerThreads.For(Blocks(x), block => body(block, (int)Math.Min(size, x.Count - ((long)block * size)), (long)block * size * x.Channels));
    }

    private static int BlockRows(ChannelsLastView x) => Math.Max(BlockFloats / x.Channels / Unroll, 1) * Unroll;

    private static int Blocks(ChannelsLastView x) => (int)((x.Count + BlockRows(x) - 1) / BlockRows(x));

    private static void Moments(float* x, int rows, int channels, float* pivot, float* sums)
    {
        int row = 0;
        for (; row + Unroll <= rows; row += Unroll, x += Unroll * channels)
        {
            for (int c = 0; c < channels; c += Lane)
            {
                Vector512<float> p = Load(pivot + c);
                Vector512<float> a = Load(x + c) - p;
                Vector512<float> b = Load(x + channels + c) - p;
                Vector512<float> d = Load(x + (2 * channels) + c) - p;
                Vector512<float> e = Load(x + (3 * channels) + c) - p;
                Add(sums + c, a + b + (d + e));
                Add(sums + channels + c, FusedMultiplyAdd(a, a, b * b) + FusedMultiplyAdd(d, d, e * e));
            }
        }

        for (; row < rows; row++, x += channels)
        {
            for (int c = 0; c < channels; c += Lane)
            {
                Vector512<float> a = Load(x + c) - Load(pivot + c);
                Add(sums + c, a);
                Add(sums + channels + c, a * a);
            }
        }
    }

    /// <summary>Propagates a gradient through PReLU at z; returns the gradient of the slope.</summary>
    private static Vector512<float> Activation(ref Vector512<float> g, Vector512<float> z, Vector512<float> slope)
    {
        Vector512<float> slopeGradient = Select(z, Vector512<float>.Zero, g * z);
        g = Select(z, g, g * slope);
        return slopeGradient;
    }

    private static Vector512<float> Select(Vector512<float> z, Vector512<float> ifPositive, Vector512<float> otherwise) =>
        ConditionalSelect(GreaterThan(z, Vector512<float>.Zero), ifPositive, otherwise);

    private static void Add(float* target, Vector512<float> value) => (Load(target) + value).Store(target);
}
