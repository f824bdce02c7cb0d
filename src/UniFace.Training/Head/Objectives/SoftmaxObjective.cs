namespace UniFace.Training.Head.Objectives;

/// <summary>
/// Softmax cross-entropy, -log softmax(s * similarities)[target], which compares the classes of a sample with each other. Its gradient
/// needs the whole row, so tiles are passed twice: for the log-sum-exp of the row, then for the gradient.
/// </summary>
/// <param name="scale">s.</param>
/// <param name="factor">Factor on the loss.</param>
internal class SoftmaxObjective(double scale, double factor = 1) : Objective(nameof(SoftmaxObjective))
{
    public double Factor => factor;

    /// <summary>True if the scale is the length of the embedding, which then has a gradient.</summary>
    public virtual bool ScaleIsNorm => false;

    /// <summary>s, [B, 1] or [1, 1], given the lengths of the embeddings, [B].</summary>
    public virtual Tensor Scale(Tensor norm) => Constant(scale, norm);

    public override ObjectiveTerms Begin(ObjectiveBatch batch) => new Terms(this, batch);

    private sealed class Terms(SoftmaxObjective objective, ObjectiveBatch batch)
        : ObjectiveTerms(
            batch,
            objective.Scale(batch.Norm),
            SoftplusKernel.Instance,
            ExponentialKernel.Instance,
            objective.Factor,
            objective.Factor)
    {
        private readonly bool isNorm = objective.ScaleIsNorm;
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

/// <summary>Softmax whose scale is the length of the embedding: SphereFace, where only the centers are normalized.</summary>
internal sealed class NormScaledSoftmax() : SoftmaxObjective(scale: 1)
{
    public override bool ScaleIsNorm => true;

    public override Tensor Scale(Tensor norm) => norm.unsqueeze(1);
}
