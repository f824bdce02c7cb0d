using static TorchSharp.torch;

namespace UniFace.Training.Losses.Objectives;

/// <summary>A batch as an objective sees it before it sees any other class.</summary>
/// <param name="Target">[B]: psi of the target.</param>
/// <param name="Norm">[B]: length of each embedding.</param>
/// <param name="Share">[B]: what a sample's gradient is multiplied by: its weight, divided by B.</param>
/// <param name="Labels">[B] int64.</param>
public sealed record ObjectiveBatch(Tensor Target, Tensor Norm, Tensor Share, Tensor Labels);

/// <summary>
/// The third axis of a loss: how a row of similarities becomes one number a sample. The row comes in tiles of classes, which an
/// objective sees once or more; its own choice is how often it must before gradients are known.
/// </summary>
public abstract class Objective : nn.Module
{
    /// <summary>An objective.</summary>
    protected Objective(string name)
        : base(name)
    {
    }

    /// <summary>The learned threshold as a cosine, where one bias is shared by all classes; else null.</summary>
    public virtual double? Threshold => null;

    /// <summary>What makes logits of similarities: [B, 1] or [1, 1], of embedding lengths [B].</summary>
    public abstract Tensor LogitFactor(Tensor norm);

    /// <summary>Factor on a sample's own part of the loss: dLoss/dLogit of the target is this times (p - 1), p the probability of the right class.</summary>
    public virtual double TargetWeight => 1;

    /// <summary>
    /// What the objective keeps from batch to batch and updates before the batch's loss, from the cosines before any margin; null: nothing.
    /// </summary>
    public virtual CosineObserver? Observe() => null;

    /// <summary>Begins a batch.</summary>
    public abstract ObjectiveStep Begin(ObjectiveBatch batch);
}

/// <summary>Sees all cosines of a batch, tile by tile, before its loss.</summary>
public abstract class CosineObserver
{
    /// <summary>Sees a tile of cosines [B, T], the targets' at negative infinity.</summary>
    public abstract void See(Tensor cosines);

    /// <summary>Ends with the target cosines, [B].</summary>
    public abstract void End(Tensor targetCosine);
}

/// <summary>An objective's work on one batch. All without autograd.</summary>
public abstract class ObjectiveStep
{
    /// <summary>The same work row by row, for float32 on the CPU, where the objective has such a way; else null.</summary>
    internal virtual IRowWork? Rows => null;

    /// <summary>True where <see cref="Scan"/> must see every tile before any gradient is asked for.</summary>
    public virtual bool Scans => false;

    /// <summary>Sees a tile of phi before any gradient.</summary>
    /// <param name="similarities">[B, T]: phi, and psi in the targets' cells. Is not changed.</param>
    public virtual void Scan(Tensor similarities)
    {
    }

    /// <summary>dLoss/dpsi of each sample, [B], not multiplied by its share; known once all tiles have been scanned.</summary>
    public abstract Tensor TargetGradient();

    /// <summary>dLoss/dphi of a tile, [B, T], multiplied by the samples' share, 0 in the targets' cells. Adds the tile to the loss.</summary>
    /// <param name="similarities">[B, T]: phi; the targets' cells hold nothing of use. Is not changed.</param>
    /// <param name="tile">The classes.</param>
    public abstract Tensor NonTargetGradient(Tensor similarities, ClassTile tile);

    /// <summary>The loss of each sample, [B]; whole once every tile has given its gradient.</summary>
    public abstract Tensor Loss { get; }

    /// <summary>dLoss/dNorm of each sample, multiplied by its share, [B], or null; whole once every tile has given its gradient.</summary>
    public virtual Tensor? NormGradient => null;
}
