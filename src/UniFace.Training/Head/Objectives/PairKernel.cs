namespace UniFace.Training.Head.Objectives;

/// <summary>
/// Value and slope of one term of an objective as functions of its logit. Everything else about an objective is linear and computed
/// elsewhere, once. A kernel that is also an <see cref="IRowKernel"/> states the same function for the registers of a processor.
/// </summary>
public abstract class PairKernel
{
    /// <summary>Computes the slope, which may overwrite the logits, and the value, both of the logits' shape.</summary>
    public abstract Tensor Slope(Tensor logits, out Tensor value);
}

/// <summary>A kernel with a form for rows of floats.</summary>
/// <typeparam name="TVector">The same function for the registers of a processor.</typeparam>
internal abstract class RowKernel<TVector> : PairKernel, IRowKernel
    where TVector : struct, IVectorKernel
{
    public RowSums Backward(Span<float> products, ReadOnlySpan<float> inverseLengths, Span<float> radial, RowTerms terms) =>
        RowLoop.Backward<TVector>(products, inverseLengths, radial, terms);
}

/// <summary>log(1 + e^x), with the slope sigmoid(x): the probability of a wrong decision.</summary>
internal sealed class SoftplusKernel : RowKernel<SoftplusKernel.Vectorized>
{
    public static SoftplusKernel Instance { get; } = new();

    public override Tensor Slope(Tensor logits, out Tensor value)
    {
        value = nn.functional.softplus(logits, 1, 60); // By default torch treats softplus as the identity from 20 on.
        return logits.sigmoid_();
    }

    internal readonly struct Vectorized : IVectorKernel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Slope(Vector512<float> logits, ref Vector512<float> value)
        {
            Vector512<float> small = Vector512.Exp(-Vector512.Abs(logits)); // In [0, 1].
            value += Vector512.Max(logits, Vector512<float>.Zero) + RowLoop.LogPlus1(small);
            Vector512<float> positive = Vector512.GreaterThanOrEqual(logits, Vector512<float>.Zero);
            return Vector512.ConditionalSelect(positive, Vector512<float>.One, small) / (Vector512<float>.One + small);
        }
    }
}

/// <summary>Softplus with its argument clamped to [-limit, limit], as in the UniFace paper's code; the slope outside is 0.</summary>
internal sealed class ClampedSoftplusKernel(double limit) : PairKernel
{
    public override Tensor Slope(Tensor logits, out Tensor value)
    {
        Tensor inside = (logits.abs() <= limit).to(logits.dtype);
        return SoftplusKernel.Instance.Slope(logits.clamp_(-limit, limit), out value).mul_(inside);
    }
}

/// <summary>e^x, which is its own slope: the probabilities of softmax, whose logits are relative to their log-sum-exp.</summary>
internal sealed class ExponentialKernel : RowKernel<ExponentialKernel.Vectorized>
{
    public static ExponentialKernel Instance { get; } = new();

    public override Tensor Slope(Tensor logits, out Tensor value) => value = logits.exp_();

    internal readonly struct Vectorized : IVectorKernel
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Slope(Vector512<float> logits, ref Vector512<float> value) => Vector512.Exp(logits);
    }
}
