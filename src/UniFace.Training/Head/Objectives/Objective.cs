namespace UniFace.Training.Head.Objectives;

/// <summary>The batch as an objective sees it before it sees any other class.</summary>
/// <param name="Target">[B]: psi of the target.</param>
/// <param name="Norm">[B]: length of each embedding.</param>
/// <param name="SampleWeight">[B]: factor on the gradient of each sample: its weight divided by B.</param>
/// <param name="Labels">[B] int64.</param>
public sealed record ObjectiveBatch(Tensor Target, Tensor Norm, Tensor SampleWeight, Tensor Labels)
{
    /// <summary>
    /// [B]: 1 where the sample's class is in the shard of this process, else 0; null without shards. <see cref="Labels"/> count from the shard's
    /// first class and mean nothing where this is 0.
    /// </summary>
    internal Tensor? Owned { get; init; }
}

/// <summary>
/// The third axis of a loss: how a row of similarities becomes one number per sample. Its terms for a batch, <see cref="ObjectiveTerms"/>,
/// are a kernel of value and slope with its coefficients; the engine supplies the similarities in tiles of classes.
/// </summary>
/// <param name="name">The name of the module.</param>
public abstract class Objective(string name) : nn.Module(name)
{
    /// <summary>The learned threshold as a cosine if all classes share one bias, else null.</summary>
    public virtual double? Threshold => null;

    /// <summary>The terms of a batch.</summary>
    public abstract ObjectiveTerms Begin(ObjectiveBatch batch);

    /// <summary>True if <see cref="Update"/> must be called for every batch before its terms are used.</summary>
    public virtual bool UpdatesPerBatch => false;

    /// <summary>Updates state that is kept between batches.</summary>
    /// <param name="logSumExp">[B, 1]: log-sum-exp of the logits of the other classes, with the state before the update.</param>
    /// <param name="targetCosine">[B]: target cosines before any margin.</param>
    public virtual void Update(Tensor logSumExp, Tensor targetCosine)
    {
    }

    /// <summary>
    /// True if the terms of a sample's own class and of every other class are independent of each other, so that with sharded centers no process
    /// needs to know the targets of another.
    /// </summary>
    internal virtual bool IsSeparable => false;

    /// <summary>The parameters with a row per class, which are sharded like the centers.</summary>
    internal virtual IReadOnlyList<Parameter> PerClassParameters => [];

    /// <summary>A scale as the terms take it, [1, 1], with the type and device of another tensor.</summary>
    protected static Tensor Constant(double value, Tensor like)
    {
        ArgumentNullException.ThrowIfNull(like);
        return full([1, 1], value, dtype: like.dtype, device: like.device);
    }
}
