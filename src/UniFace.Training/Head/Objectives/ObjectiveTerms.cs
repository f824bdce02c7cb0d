namespace UniFace.Training.Head.Objectives;

/// <summary>
/// An objective's terms for one batch, without autograd. With the scale s, every objective has the form
/// loss_b = wt * target(threshold_b - s * psi_b) + wp * sum over the other classes j of pair(s * phi_bj - offset_bj),
/// where target and pair are <see cref="PairKernel"/>s. For the unified loss, threshold and offset are the bias. Softmax cross-entropy
/// is softplus(threshold_b - s * psi_b) alone, where the threshold is the log-sum-exp of the logits of the other classes.
/// </summary>
/// <param name="batch">The batch.</param>
/// <param name="scale">s: [B, 1] or [1, 1].</param>
/// <param name="targetKernel">Kernel of the sample's own class.</param>
/// <param name="pairKernel">Kernel of every other class.</param>
/// <param name="targetWeight">wt.</param>
/// <param name="pairWeight">wp.</param>
public abstract class ObjectiveTerms(
    ObjectiveBatch batch, Tensor scale, PairKernel targetKernel, PairKernel pairKernel, double targetWeight, double pairWeight)
{
    /// <summary>The batch.</summary>
    public ObjectiveBatch Batch => batch;

    /// <summary>s, the factor that makes logits of similarities: [B, 1] or [1, 1].</summary>
    public Tensor Scale => scale;

    /// <summary>wp, the factor on the terms of the other classes.</summary>
    public double PairWeight => pairWeight;

    /// <summary>The loss of each sample, [B]; complete when every tile has been passed to <see cref="PairGradient"/>.</summary>
    public Tensor Loss { get; private set; } = zeros_like(batch.Target);

    /// <summary>1 - p, [B], where p is the probability of the right class; known after <see cref="TargetGradient"/>.</summary>
    public Tensor MissProbability { get; private set; } = ones_like(batch.Target);

    /// <summary>True if <see cref="SetLogSumExp"/> must be called before any gradient is requested.</summary>
    public virtual bool NeedsLogSumExp => false;

    /// <summary>dLoss/dNorm of each sample times its weight, [B], or null; complete like <see cref="Loss"/>.</summary>
    public virtual Tensor? NormGradient => null;

    /// <summary>threshold, [B] or [1].</summary>
    protected abstract Tensor Threshold { get; }

    /// <summary>True if there is one scale and the offset does not depend on the class, so that rows can be processed without tensors.</summary>
    protected abstract bool IsUniform { get; }

    /// <summary>False if only the slopes of the pair kernel are used, as in softmax, whose loss is the term of the target.</summary>
    protected virtual bool PairsAddToLoss => true;

    /// <summary>Sets the log-sum-exp of s * phi over the other classes, [B, 1].</summary>
    public virtual void SetLogSumExp(Tensor others)
    {
    }

    /// <summary>dLoss/dpsi of each sample, [B], not multiplied by its weight.</summary>
    public Tensor TargetGradient()
    {
        Tensor factor = scale.view(-1); // [B] or [1]
        MissProbability = targetKernel.Slope(Threshold - batch.Target * factor, out Tensor value); // [B]
        Loss = value * targetWeight;
        Tensor slope = MissProbability * targetWeight;
        if (batch.Owned is Tensor owned)
        {
            Loss.mul_(owned);
            slope.mul_(owned);
        }

        AddTargetSlopes(slope);
        return slope * factor.neg();
    }

    /// <summary>dLoss/dphi of a tile, [B, T], times the sample weights, 0 in the target cells. Adds the tile to the loss.</summary>
    /// <param name="similarities">[B, T]: phi; target cells are ignored. Not changed.</param>
    /// <param name="tile">The classes.</param>
    public Tensor PairGradient(Tensor similarities, ClassTile tile)
    {
        ArgumentNullException.ThrowIfNull(tile);
        Tensor slope = pairKernel.Slope((similarities * scale).sub_(Offset(tile)), out Tensor value); // [B, T]
        tile.FillTargets(slope, 0);
        if (PairsAddToLoss)
        {
            tile.FillTargets(value, 0);
            Loss.add_(value.sum(1), alpha: pairWeight);
        }

        AddPairSlopes(slope, similarities, tile);
        return slope.mul_(batch.SampleWeight.unsqueeze(1) * scale * pairWeight);
    }

    /// <summary>Adds rows that a row kernel has processed: the sums over the other classes of value and slope, both [B].</summary>
    internal void AddRows(Tensor values, Tensor slopes)
    {
        if (PairsAddToLoss)
        {
            Loss.add_(values, alpha: pairWeight);
        }

        AddRowSlopes(slopes);
    }

    /// <summary>The pair kernel's form for rows of floats, if these terms can be computed row by row.</summary>
    internal bool TryGetRowKernel(out IRowKernel kernel)
    {
        kernel = (pairKernel as IRowKernel)!;
        return kernel is not null && IsUniform;
    }

    /// <summary>The offset of a tile: [1, 1], [B, 1] or [T].</summary>
    protected internal abstract Tensor Offset(ClassTile? tile);

    /// <summary>Adds wt * slope of the targets, [B], to the gradients of the objective's own parameters.</summary>
    protected virtual void AddTargetSlopes(Tensor slopes)
    {
    }

    /// <summary>Adds the slopes of a tile, [B, T], to the gradients of the objective's own parameters.</summary>
    protected virtual void AddPairSlopes(Tensor slopes, Tensor similarities, ClassTile tile)
    {
    }

    /// <summary>As <see cref="AddPairSlopes"/> for slopes summed over the other classes, [B].</summary>
    protected virtual void AddRowSlopes(Tensor slopes)
    {
    }
}
