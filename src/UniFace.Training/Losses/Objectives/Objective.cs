using static TorchSharp.torch;

namespace UniFace.Training.Losses.Objectives;

/// <summary>A batch's similarities after the margin, as an objective sees them.</summary>
/// <param name="Target">[B]: psi of the target.</param>
/// <param name="NonTarget">[B, R]: phi of all classes of the step; the target's column holds nothing of use.</param>
/// <param name="Columns">[B] int64: the target's column.</param>
/// <param name="Classes">[R] int64: the classes of the step, or null for all.</param>
/// <param name="Norm">[B]: length of each embedding.</param>
public sealed record ObjectiveInput(Tensor Target, Tensor NonTarget, Tensor Columns, Tensor? Classes, Tensor Norm);

/// <summary>The third axis of a loss: how a row of similarities becomes one number a sample.</summary>
public abstract class Objective : nn.Module
{
    /// <summary>An objective.</summary>
    protected Objective(string name)
        : base(name)
    {
    }

    /// <summary>The learned threshold as a cosine, where one bias is shared by all classes; else null.</summary>
    public virtual double? Threshold => null;

    /// <summary>Updates what the objective keeps from batch to batch; called once a batch with the cosines before any margin, without a gradient.</summary>
    /// <param name="cosines">[B, R].</param>
    /// <param name="targetCosine">[B].</param>
    /// <param name="columns">[B]: the target's column.</param>
    public virtual void Observe(Tensor cosines, Tensor targetCosine, Tensor columns)
    {
    }

    /// <summary>The loss of each sample, [B].</summary>
    public abstract Tensor Loss(ObjectiveInput input);
}
