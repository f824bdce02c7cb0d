using System.Runtime.Intrinsics;
using TorchSharp.Modules;
using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses.Objectives;

/// <summary>
/// What the losses that compare with a threshold share: w+ * softplus(-(s * psi - b)) + w- * sum over the others of softplus(s * phi - b).
/// A sum over pairs that do not know each other: a tile gives its loss and gradient at once, and is gone.
/// </summary>
internal sealed class BinaryTerms
{
    /// <summary>s.</summary>
    public required double Scale { get; init; }

    /// <summary>w+.</summary>
    public required double Positive { get; init; }

    /// <summary>w-.</summary>
    public required double Negative { get; init; }

    /// <summary>b, or -b: [1], or [C] for one a class.</summary>
    public required Parameter Bias { get; init; }

    /// <summary>-1 where the parameter is added to the logits, 1 where it is subtracted.</summary>
    public double Sign { get; init; } = 1;

    /// <summary>Clamps the softplus's argument to [-s, s]; the gradient beyond is 0.</summary>
    public bool Clamp { get; init; }

    /// <summary>
    /// log(1 + e^x), exact for all x, and so its gradient: torch's own softplus is the identity from 20 on unless told otherwise.
    /// </summary>
    internal static Tensor Softplus(Tensor x) => nn.functional.softplus(x, 1, 60);

    /// <summary>See <see cref="Objective.LogitFactor"/>.</summary>
    public Tensor Factor(Tensor norm) => full([1, 1], Scale, dtype: norm.dtype, device: norm.device);

    /// <summary>Begins a batch.</summary>
    public ObjectiveStep Begin(ObjectiveBatch batch) => new Step(this, batch);

    private sealed class Step : ObjectiveStep, IRowWork
    {
        private readonly BinaryTerms terms;
        private readonly ObjectiveBatch batch;
        private readonly bool perClass;
        private readonly Tensor bias; // [1] or [C]
        private readonly Tensor biasGradient; // [1] or [C]
        private readonly Tensor targetGradient; // [B]
        private readonly Tensor share; // [B, 1]
        private readonly Tensor loss; // [B]
        private double[]? rowLoss; // [B]
        private double[] rowGradient = []; // [B]
        private float[] rowShare = []; // [B]
        private float rowBias;

        public Step(BinaryTerms terms, ObjectiveBatch batch)
        {
            this.terms = terms;
            this.batch = batch;
            bias = terms.Bias;
            perClass = bias.shape[0] > 1;
            terms.Bias.grad ??= zeros_like(bias);
            biasGradient = terms.Bias.grad!;
            share = (batch.Share * (terms.Negative * terms.Scale)).unsqueeze(1);

            Tensor own = perClass ? bias.index_select(0, batch.Labels) : bias; // [1] or [B]
            Tensor argument = own * terms.Sign - batch.Target * terms.Scale; // [B]
            loss = Soft(argument).mul_(terms.Positive);
            Tensor slope = Slope(argument).mul_(terms.Positive); // [B]
            targetGradient = slope * -terms.Scale;
            AddToBias(slope * batch.Share * terms.Sign, batch.Labels);
        }

        public override Tensor Loss => rowLoss is null ? loss : loss + tensor(rowLoss, dtype: loss.dtype) * terms.Negative;

        internal override IRowWork? Rows => terms.Clamp || perClass ? null : this;

        public override Tensor TargetGradient() => targetGradient;

        public override Tensor NonTargetGradient(Tensor similarities, ClassTile tile)
        {
            ArgumentNullException.ThrowIfNull(similarities);
            ArgumentNullException.ThrowIfNull(tile);
            Tensor? index = perClass ? tile.Index(bias.device) : null;
            Tensor rows = !perClass ? bias : index is null ? bias.narrow(0, tile.Start, tile.Count) : bias.index_select(0, index); // [1] or [T]
            Tensor argument = (similarities * terms.Scale).sub_(rows * terms.Sign); // [B, T]
            Tensor soft = Soft(argument); // [B, T]
            tile.FillTargets(soft, 0);
            loss.add_(soft.sum(1), alpha: terms.Negative);
            Tensor gradient = Slope(argument).mul_(share); // [B, T]
            tile.FillTargets(gradient, 0);
            if (perClass)
            {
                Tensor sums = gradient.sum([0]).mul_(-terms.Sign / terms.Scale); // [T]
                AddToBias(sums, index, tile.Start);
            }
            else
            {
                biasGradient.add_(gradient.sum(), alpha: -terms.Sign / terms.Scale);
            }

            return gradient;
        }

        void IRowWork.Begin()
        {
            rowLoss = new double[batch.Target.shape[0]];
            rowGradient = new double[rowLoss.Length];
            rowShare = OwnedTensors.Floats(share);
            rowBias = (float)(OwnedTensors.Value(bias) * terms.Sign);
        }

        void IRowWork.Scan(int sample, ReadOnlySpan<float> products, ReadOnlySpan<float> inverse)
        {
        }

        float IRowWork.Backward(int sample, Span<float> products, ReadOnlySpan<float> inverse, Span<float> along)
        {
            RowSlope slope = new((float)terms.Scale, rowBias, rowShare[sample]);
            float hardest = RowLoop.Backward(products, inverse, along, ref slope);
            rowLoss![sample] += Vector512.Sum(slope.Soft);
            rowGradient[sample] += Vector512.Sum(slope.Gradient);
            return hardest;
        }

        void IRowWork.End() => biasGradient.add_((float)(-terms.Sign / terms.Scale * rowGradient.Sum()));

        private Tensor Soft(Tensor argument) => Softplus(terms.Clamp ? argument.clamp(-terms.Scale, terms.Scale) : argument);

        /// <summary>The softplus's slope; the argument is used up.</summary>
        private Tensor Slope(Tensor argument)
        {
            Tensor? inside = terms.Clamp ? (argument.abs() <= terms.Scale).to(argument.dtype) : null;
            argument.sigmoid_();
            return inside is null ? argument : argument.mul_(inside);
        }

        private void AddToBias(Tensor values, Tensor labels)
        {
            if (perClass)
            {
                biasGradient.index_add_(0, labels, values, 1);
            }
            else
            {
                biasGradient.add_(values.sum());
            }
        }

        private void AddToBias(Tensor values, Tensor? index, int start)
        {
            if (index is null)
            {
                biasGradient.narrow(0, start, values.shape[0]).add_(values);
            }
            else
            {
                biasGradient.index_add_(0, index, values, 1);
            }
        }
    }

    private struct RowSlope(float scale, float bias, float share) : IRowSlope
    {
        private readonly Vector512<float> scale = Vector512.Create(scale);
        private readonly Vector512<float> bias = Vector512.Create(bias);
        private readonly Vector512<float> share = Vector512.Create(share);

        public Vector512<float> Soft { get; private set; }

        public Vector512<float> Gradient { get; private set; }

        public Vector512<float> Slope(Vector512<float> cosines)
        {
            Vector512<float> argument = (cosines * scale) - bias;
            Vector512<float> small = Vector512.Exp(-Vector512.Abs(argument)); // In [0, 1].
            Soft += Vector512.Max(argument, Vector512<float>.Zero) + RowLoop.LogPlus1(small);
            Vector512<float> above = Vector512.GreaterThanOrEqual(argument, Vector512<float>.Zero);
            Vector512<float> slope = Vector512.ConditionalSelect(above, Vector512<float>.One, small) / (Vector512<float>.One + small) * share;
            Gradient += slope;
            return slope;
        }
    }
}
