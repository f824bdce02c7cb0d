using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace UniFace.Training.Kernels;

/// <summary>A stretch of a parameter, its gradient and the optimizer's state of it, all in the same order in memory.</summary>
/// <param name="Value">The parameter's values.</param>
/// <param name="Gradient">Its gradient.</param>
/// <param name="State">The optimizer's state of it, or 0.</param>
/// <param name="Length">Number of values.</param>
/// <param name="Decays">Whether weight decay pulls at it.</param>
internal readonly unsafe record struct Stretch(nint Value, nint Gradient, nint State, int Length, bool Decays)
{
    /// <summary>Longest stretch: what fits a processor's own cache.</summary>
    private const int Longest = 65536;

    /// <summary>Cuts a parameter into stretches, if its tensors allow it: float32 on the CPU, without gaps, in one order.</summary>
    /// <returns>False, and nothing is added, where they do not.</returns>
    public static bool TryAdd(List<Stretch> stretches, Tensor value, Tensor gradient, Tensor? state, bool decays)
    {
        long[] order = value.stride();
        if (!Dense(value, order) || !Same(gradient) || (state is not null && !Same(state)))
        {
            return false;
        }

        nint v = Pointers.Of(value), g = Pointers.Of(gradient), a = state is null ? 0 : Pointers.Of(state);
        long count = value.numel();
        for (long at = 0; at < count; at += Longest)
        {
            nint offset = (nint)(at * sizeof(float));
            stretches.Add(new Stretch(v + offset, g + offset, a == 0 ? 0 : a + offset, (int)Math.Min(Longest, count - at), decays));
        }

        return true;

        bool Same(Tensor other) => other.dtype == ScalarType.Float32 && other.device_type == TorchSharp.DeviceType.CPU && other.stride().AsSpan().SequenceEqual(order);
    }

    private static bool Dense(Tensor tensor, long[] stride)
    {
        if (tensor.dtype != ScalarType.Float32 || tensor.device_type != TorchSharp.DeviceType.CPU)
        {
            return false;
        }

        // Without gaps, the sides sorted by stride each begin where the smaller ones end.
        long expected = 1;
        foreach ((long side, long step) in tensor.shape.Zip(stride).Where(s => s.First != 1).OrderBy(s => s.Second))
        {
            if (step != expected)
            {
                return false;
            }

            expected *= side;
        }

        return true;
    }
}

/// <summary>What optimizers do with each value, in one pass over memory.</summary>
internal static unsafe class Elements
{
    private const int Lane = 8;

    /// <summary>
    /// v = momentum * v + (g + decay * w), w = w - rate * v, rounded where libtorch's separate operators round: the same bits.
    /// Without momentum the step is g + decay * w itself.
    /// </summary>
    public static void Sgd(in Stretch s, double momentum, double decay, double rate)
    {
        float* w = (float*)s.Value, g = (float*)s.Gradient, v = (float*)s.State;
        float m = (float)momentum, d = s.Decays ? (float)decay : 0, r = (float)-rate;
        int i = 0;
        for (; i + Lane <= s.Length; i += Lane)
        {
            Vector256<float> weight = Vector256.Load(w + i), step = Vector256.Load(g + i);
            step = d == 0 ? step : Vector256.FusedMultiplyAdd(weight, Vector256.Create(d), step);
            if (v != null)
            {
                step = (Vector256.Load(v + i) * m) + step;
                step.Store(v + i);
            }

            Vector256.FusedMultiplyAdd(step, Vector256.Create(r), weight).Store(w + i);
        }

        for (; i < s.Length; i++)
        {
            float step = d == 0 ? g[i] : MathF.FusedMultiplyAdd(w[i], d, g[i]);
            if (v != null)
            {
                float kept = v[i] * m;
                v[i] = step = kept + step;
            }

            w[i] = MathF.FusedMultiplyAdd(step, r, w[i]);
        }
    }

    /// <summary>The sum of the squares of the gradient.</summary>
    public static double SquaredNorm(in Stretch s)
    {
        const int Block = 1024;
        float* g = (float*)s.Gradient;
        double total = 0;
        for (int first = 0; first < s.Length; first += Block)
        {
            int end = Math.Min(first + Block, s.Length);
            Vector256<float> even = Vector256<float>.Zero, odd = Vector256<float>.Zero;
            int i = first;
            for (; i + (2 * Lane) <= end; i += 2 * Lane)
            {
                Vector256<float> a = Vector256.Load(g + i), b = Vector256.Load(g + i + Lane);
                even = Vector256.FusedMultiplyAdd(a, a, even);
                odd = Vector256.FusedMultiplyAdd(b, b, odd);
            }

            total += Vector256.Sum(even + odd);
            for (; i < end; i++)
            {
                total += (double)g[i] * g[i];
            }
        }

        return total;
    }

    /// <summary>g = factor * g.</summary>
    public static void Scale(in Stretch s, float factor)
    {
        float* g = (float*)s.Gradient;
        int i = 0;
        for (; i + Lane <= s.Length; i += Lane)
        {
            (Vector256.Load(g + i) * factor).Store(g + i);
        }

        for (; i < s.Length; i++)
        {
            g[i] *= factor;
        }
    }
}
