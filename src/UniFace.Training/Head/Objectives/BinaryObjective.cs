namespace UniFace.Training.Head.Objectives;

/// <summary>
/// Compares every similarity with a learned threshold: w+ * softplus(-(s * psi - b)) + w- * sum over the others of softplus(s * phi - b).
/// Separable over (sample, class) pairs; one pass per tile.
/// </summary>
internal abstract class BinaryObjective : Objective
{
    /// <summary>Creates an objective with a bias.</summary>
    /// <param name="name">The name of the module.</param>
    /// <param name="scale">s.</param>
    /// <param name="positive">w+.</param>
    /// <param name="negative">w-.</param>
    /// <param name="biases">1, or one bias for each class of the shard.</param>
    /// <param name="initialBias">The initial value of the parameter.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="perClass">True: one bias per class.</param>
    protected BinaryObjective(
        string name, double scale, double positive, double negative, int biases, double initialBias, ScalarType dtype, bool perClass = false)
        : base(name)
    {
        Scale = scale;
        Positive = positive;
        Negative = negative;
        PerClass = perClass;
        register_parameter("bias", OwnedTensors.Parameter(full(biases, initialBias, dtype: dtype)));
    }

    /// <summary>s.</summary>
    public double Scale { get; }

    /// <summary>w+.</summary>
    public double Positive { get; }

    /// <summary>w-.</summary>
    public double Negative { get; }

    /// <summary>True: one bias per class.</summary>
    public bool PerClass { get; }

    /// <summary>b times <see cref="Sign"/>, [1] or [C].</summary>
    public Parameter Bias => get_parameter("bias")!;

    /// <summary>1 if the parameter is subtracted from the logits, -1 if it is added.</summary>
    public virtual double Sign => 1;

    /// <summary>Clamps the argument of the softplus to [-s, s]; the gradient outside is 0.</summary>
    public virtual bool Clamp => false;

    internal override bool IsSeparable => true;

    internal override IReadOnlyList<Parameter> PerClassParameters => PerClass ? [Bias] : [];

    public override ObjectiveTerms Begin(ObjectiveBatch batch) =>
        new Terms(this, batch, Clamp ? new ClampedSoftplusKernel(Scale) : SoftplusKernel.Instance);

    private sealed class Terms(BinaryObjective objective, ObjectiveBatch batch, PairKernel kernel)
        : ObjectiveTerms(batch, Constant(objective.Scale, batch.Norm), kernel, kernel, objective.Positive, objective.Negative)
    {
        private readonly double sign = objective.Sign;
        private readonly bool perClass = objective.PerClass;
        private readonly Parameter bias = objective.Bias; // [1] or [C]
        private readonly Tensor biasGradient = objective.Bias.grad ??= zeros_like(objective.Bias); // [1] or [C]

        protected override Tensor Threshold => (perClass ? bias.index_select(0, Batch.Labels) : bias) * sign;

        protected override bool IsUniform => !perClass;

        protected internal override Tensor Offset(ClassTile? tile) =>
            (!perClass ? bias : Select(tile!) is Tensor index ? bias.index_select(0, index) : bias.narrow(0, tile!.Start, tile.Count)) * sign;

        protected override void AddTargetSlopes(Tensor slopes)
        {
            Tensor gradient = slopes * Batch.SampleWeight * sign; // [B]
            if (perClass)
            {
                biasGradient.index_add_(0, Batch.Labels, gradient, 1);
            }
            else
            {
                biasGradient.add_(gradient.sum());
            }
        }

        protected override void AddPairSlopes(Tensor slopes, Tensor similarities, ClassTile tile)
        {
            if (!perClass)
            {
                AddRowSlopes(slopes.sum(1));
                return;
            }

            Tensor gradient = slopes.t().mv(Batch.SampleWeight).mul_(-sign * PairWeight); // [T]
            if (Select(tile) is Tensor index)
            {
                biasGradient.index_add_(0, index, gradient, 1);
            }
            else
            {
                biasGradient.narrow(0, tile.Start, tile.Count).add_(gradient);
            }
        }

        protected override void AddRowSlopes(Tensor slopes) => biasGradient.add_((slopes * Batch.SampleWeight).sum(), alpha: -sign * PairWeight);

        private Tensor? Select(ClassTile tile) => tile.Index(bias.device);
    }
}
