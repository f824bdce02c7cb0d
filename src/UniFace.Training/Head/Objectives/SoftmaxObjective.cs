using UniFace.Training.Head.Centers;
using static TorchSharp.torch;

namespace UniFace.Training.Head.Objectives;

/// <summary>
/// Softmax cross-entropy, -log softmax(s * similarities)[target], which compares the classes of a sample with each other. Its gradient
/// needs the whole row, so tiles are passed twice: for the log-sum-exp of the row, then for the gradient.
/// </summary>
internal sealed class SoftmaxObjective : Objective
{
    /// <summary>Softmax cross-entropy.</summary>
    /// <param name="scale">Makes logits of similarities.</param>
    /// <param name="factor">Factor on the loss.</param>
    public SoftmaxObjective(LogitScale scale, double factor = 1)
        : base(nameof(SoftmaxObjective))
    {
        Scale = scale;
        Factor = factor;
        register_module("scale", scale);
    }

    public LogitScale Scale { get; }

    public double Factor { get; }

    public override CosineObserver? CreateObserver() => Scale.CreateObserver();

    public override ObjectiveTerms Begin(ObjectiveBatch batch) => new Terms(this, batch);

    private sealed class Terms(SoftmaxObjective objective, ObjectiveBatch batch)
        : ObjectiveTerms(
            batch,
            objective.Scale.Factor(batch.Norm),
            SoftplusKernel.Instance,
            ExponentialKernel.Instance,
            objective.Factor,
            objective.Factor)
    {
        private readonly bool isNorm = objective.Scale.IsNorm;
        private readonly Tensor normGradient = zeros_like(batch.Target); // [B]
        private Tensor others = zeros_like(batch.Target); // [B]
        private Tensor total = zeros_like(batch.Target); // [B, 1]

        public override bool NeedsLogSumExp => true;

        public override Tensor? NormGradient => isNorm ? normGradient : null;

        protected override Tensor Threshold => others;

        protected override bool IsUniform => !isNorm;

        protected override bool PairsAddToLoss => false;

        public override void SetLogSumExp(Tensor others)
        {
            this.others = others.squeeze(1);
            Tensor own = Batch.Target.unsqueeze(1) * Scale; // [B, 1]
            SoftplusKernel.Instance.Slope(others - own, out Tensor above);
            total = own + above;
        }

        protected internal override Tensor Offset(ClassTile? tile) => total;

        protected override void AddTargetSlopes(Tensor slopes)
        {
            if (isNorm)
            {
                normGradient.sub_(slopes * Batch.Target * Batch.Share);
            }
        }

        protected override void AddPairSlopes(Tensor slopes, Tensor similarities, ClassTile tile)
        {
            if (isNorm)
            {
                normGradient.add_((slopes * similarities).sum(1) * Batch.Share, alpha: PairWeight);
            }
        }
    }
}
