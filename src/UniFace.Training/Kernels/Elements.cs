using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace UniFace.Training.Kernels;

/// <summary>A stretch of a parameter, its gradient and the optimizer's states of it, all in the same order in memory.</summary>
/// <param name="Value">The parameter's values.</param>
/// <param name="Gradient">Its gradient.</param>
/// <param name="State">The optimizer's state of it, or 0.</param>
/// <param name="Second">Its second state, or 0.</param>
/// <param name="Length">Number of values.</param>
/// <param name="Decays">Whether weight decay pulls at it.</param>
internal readonly unsafe record struct Stretch(nint Value, nint Gradient, nint State, nint Second, int Length, bool Decays)
{
    /// <summary>Longest stretch: what fits a processor's own cache.</summary>
    private const int Longest = 65536;

    /// <summary>Cuts a parameter into stretches, if its tensors allow it: float32 on the CPU, without gaps, in one order.</summary>
    /// <param name="stretches">What they are added to.</param>
    /// <param name="value">The parameter.</param>
    /// <param name="gradient">Its gradient.</param>
    /// <param name="states">None, one or two.</param>
    /// <param name="decays">Whether weight decay pulls at it.</param>
    /// <returns>False, and nothing is added, where they do not.</returns>
    public static bool TryAdd(List<Stretch> stretches, Tensor value, Tensor gradient, ReadOnlySpan<Tensor> states = default, bool decays = false)
    {
        long[] order = value.stride();
        bool same = Dense(value, order) && Same(gradient);
        foreach (Tensor state in states)
        {
            same = same && Same(state);
        }

        if (!same)
        {
            return false;
        }

        nint v = Pointers.Of(value), g = Pointers.Of(gradient);
        nint first = states.Length > 0 ? Pointers.Of(states[0]) : 0, second = states.Length > 1 ? Pointers.Of(states[1]) : 0;
        long count = value.numel();
        for (long at = 0; at < count; at += Longest)
        {
            nint offset = (nint)(at * sizeof(float));
            stretches.Add(new Stretch(v + offset, g + offset, first == 0 ? 0 : first + offset, second == 0 ? 0 : second + offset, (int)Math.Min(Longest, count - at), decays));
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

/// <summary>The numbers of one step of AdamW.</summary>
/// <param name="Beta1">How much of the mean stays.</param>
/// <param name="New1">How much of the gradient comes in, 1 - Beta1 before it was rounded.</param>
/// <param name="Beta2">How much of the mean square stays.</param>
/// <param name="New2">How much of the gradient's square comes in.</param>
/// <param name="Keep">What weight decay leaves of a value.</param>
/// <param name="Rate">The rate, without the mean's bias.</param>
/// <param name="Root">The root of the mean square's bias.</param>
/// <param name="Epsilon">Added to the root.</param>
internal readonly record struct AdamStep(float Beta1, float New1, float Beta2, float New2, float Keep, float Rate, float Root, float Epsilon);

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

    /// <summary>
    /// w = keep * w where weight decay pulls; m = beta1 * m + (1 - beta1) * g; v = beta2 * v + (1 - beta2) * g^2;
    /// w = w - rate * m / (sqrt(v) / root + epsilon), m the state and v the second one.
    /// </summary>
    public static void AdamW(in Stretch s, in AdamStep step)
    {
        float* w = (float*)s.Value, g = (float*)s.Gradient, m = (float*)s.State, v = (float*)s.Second;
        float keep = s.Decays ? step.Keep : 1;
        int i = 0;
        for (; i + Lane <= s.Length; i += Lane)
        {
            Vector256<float> gradient = Vector256.Load(g + i);
            Vector256<float> mean = Vector256.FusedMultiplyAdd(gradient, Vector256.Create(step.New1), Vector256.Load(m + i) * step.Beta1);
            Vector256<float> square = Vector256.FusedMultiplyAdd(gradient * step.New2, gradient, Vector256.Load(v + i) * step.Beta2);
            mean.Store(m + i);
            square.Store(v + i);
            Vector256<float> root = (Vector256.Sqrt(square) / step.Root) + Vector256.Create(step.Epsilon);
            ((Vector256.Load(w + i) * keep) - (mean * step.Rate / root)).Store(w + i);
        }

        for (; i < s.Length; i++)
        {
            m[i] = MathF.FusedMultiplyAdd(g[i], step.New1, m[i] * step.Beta1);
            v[i] = MathF.FusedMultiplyAdd(g[i] * step.New2, g[i], v[i] * step.Beta2);
            w[i] = (w[i] * keep) - (m[i] * step.Rate / ((MathF.Sqrt(v[i]) / step.Root) + step.Epsilon));
        }
    }

    /// <summary>
    /// The value moves towards what stands in the gradient's place: value = decay * value + (1 - decay) * other, both factors of one rounding,
    /// so that they are 1 together and a value that does not change stays itself.
    /// </summary>
    public static void Average(in Stretch s, float decay)
    {
        float* value = (float*)s.Value, other = (float*)s.Gradient;
        int i = 0;
        for (; i + Lane <= s.Length; i += Lane)
        {
            Vector256.FusedMultiplyAdd(Vector256.Load(other + i), Vector256.Create(1 - decay), Vector256.Load(value + i) * decay).Store(value + i);
        }

        for (; i < s.Length; i++)
        {
            value[i] = MathF.FusedMultiplyAdd(other[i], 1 - decay, value[i] * decay);
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
