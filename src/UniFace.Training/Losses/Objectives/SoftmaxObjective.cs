using System.Runtime.Intrinsics;
using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training.Losses.Objectives;

/// <summary>
/// -log softmax(scale * similarities)[target]: compares a sample's classes with each other. So its gradient waits for the whole
/// row, and the tiles are seen twice: for the row's sum, then for the gradient.
/// </summary>
public sealed class SoftmaxObjective : Objective
{
    /// <summary>Softmax cross-entropy.</summary>
    /// <param name="scale">What makes logits of similarities.</param>
    /// <param name="factor">Factor on the loss.</param>
    public SoftmaxObjective(LogitScale scale, double factor = 1)
        : base(nameof(SoftmaxObjective))
    {
        Scale = scale;
        Factor = factor;
        register_module("scale", scale);
    }

    internal LogitScale Scale { get; }

    internal double Factor { get; }

    /// <inheritdoc/>
    public override double TargetWeight => Factor;

    /// <inheritdoc/>
    public override Tensor LogitFactor(Tensor norm) => Scale.Factor(norm);

    /// <inheritdoc/>
    public override CosineObserver? Observe() => Scale.Observe();

    /// <inheritdoc/>
    public override ObjectiveStep Begin(ObjectiveBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        return new Step(this, batch);
    }

    private sealed class Step : ObjectiveStep, IRowWork
    {
        private readonly ObjectiveBatch batch;
        private readonly double factor;
        private readonly Tensor scale; // [B, 1] or [1, 1]
        private readonly RunningLogSumExp rows;
        private readonly Tensor? normGradient; // [B]
        private Tensor? total; // [B, 1]: ln of the row's sum
        private float[]? rowTop; // [B]
        private double[] rowSum = []; // [B]
        private float[] rowTotal = []; // [B]
        private float[] rowShare = []; // [B]
        private float rowScale;

        public Step(SoftmaxObjective objective, ObjectiveBatch batch)
        {
            this.batch = batch;
            factor = objective.Factor;
            scale = objective.Scale.Factor(batch.Norm);
            rows = new RunningLogSumExp(batch.Target.shape[0], batch.Target.dtype, batch.Target.device);
            normGradient = objective.Scale.IsNorm ? zeros_like(batch.Target) : null;
        }

        public override bool Scans => true;

        public override Tensor Loss => (Total - Logit).squeeze(1) * factor;

        public override Tensor? NormGradient => normGradient;

        internal override IRowWork? Rows => normGradient is null ? this : null;

        private Tensor Total => total ??= rowTop is null ? rows.Value : RowTotals();

        private Tensor Logit => batch.Target.unsqueeze(1) * scale; // [B, 1]

        public override void Scan(Tensor similarities) => rows.Add(similarities * scale);

        public override Tensor TargetGradient()
        {
            Tensor slope = (Logit - Total).expm1(); // [B, 1]: p - 1
            normGradient?.add_(slope.squeeze(1) * batch.Target * batch.Share * factor);
            return (slope * scale).squeeze(1) * factor;
        }

        public override Tensor NonTargetGradient(Tensor similarities, ClassTile tile)
        {
            ArgumentNullException.ThrowIfNull(similarities);
            ArgumentNullException.ThrowIfNull(tile);
            Tensor share = batch.Share.unsqueeze(1) * factor; // [B, 1]
            Tensor gradient = (similarities * scale).sub_(Total).exp_(); // [B, T]: p
            tile.FillTargets(gradient, 0);
            normGradient?.add_((gradient * similarities).sum(1) * share.squeeze(1));
            return gradient.mul_(share * scale);
        }

        void IRowWork.Begin()
        {
            rowTop = [.. Enumerable.Repeat(RowLoop.Masked, (int)batch.Target.shape[0])];
            rowSum = new double[rowTop.Length];
            rowScale = (float)OwnedTensors.Value(scale);
            rowShare = OwnedTensors.Floats(batch.Share * (factor * rowScale));
        }

        void IRowWork.Scan(int sample, ReadOnlySpan<float> products, ReadOnlySpan<float> inverse) =>
            RowLoop.AddExponents(products, inverse, rowScale, ref rowTop![sample], ref rowSum[sample]);

        float IRowWork.Backward(int sample, Span<float> products, ReadOnlySpan<float> inverse, Span<float> along)
        {
            RowSlope slope = new(rowScale, rowTotal[sample], rowShare[sample]);
            return RowLoop.Backward(products, inverse, along, ref slope);
        }

        void IRowWork.End()
        {
        }

        /// <summary>The targets were masked while the rows were added up.</summary>
        private Tensor RowTotals()
        {
            float[] own = OwnedTensors.Floats(Logit);
            rowTotal = [.. own.Select((logit, b) =>
            {
                double top = Math.Max(logit, rowTop![b]);
                return (float)(top + Math.Log((rowSum[b] * Math.Exp(rowTop[b] - top)) + Math.Exp(logit - top)));
            })];
            return tensor(rowTotal).unsqueeze(1);
        }
    }

    private readonly struct RowSlope(float scale, float total, float share) : IRowSlope
    {
        private readonly Vector512<float> scale = Vector512.Create(scale);
        private readonly Vector512<float> total = Vector512.Create(total);
        private readonly Vector512<float> share = Vector512.Create(share);

        public Vector512<float> Slope(Vector512<float> cosines) => Vector512.Exp((cosines * scale) - total) * share;
    }
}
