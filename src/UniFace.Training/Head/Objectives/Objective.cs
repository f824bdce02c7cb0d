using static TorchSharp.torch;

namespace UniFace.Training.Head.Objectives;

/// <summary>The batch as an objective sees it before it sees any other class.</summary>
/// <param name="Target">[B]: psi of the target.</param>
/// <param name="Norm">[B]: length of each embedding.</param>
/// <param name="Share">[B]: factor on the gradient of each sample: its weight divided by B.</param>
/// <param name="Labels">[B] int64.</param>
public sealed record ObjectiveBatch(Tensor Target, Tensor Norm, Tensor Share, Tensor Labels);

/// <summary>
/// The third axis of a loss: how a row of similarities becomes one number per sample. Its terms for a batch, <see cref="ObjectiveTerms"/>,
/// are a kernel of value and slope with its coefficients; the engine supplies the similarities in tiles of classes.
/// </summary>
public abstract class Objective : nn.Module
{
    /// <summary>Creates an objective.</summary>
    protected Objective(string name)
        : base(name)
    {
    }

    /// <summary>The learned threshold as a cosine if all classes share one bias, else null.</summary>
    public virtual double? Threshold => null;

    /// <summary>The terms of a batch.</summary>
    public abstract ObjectiveTerms Begin(ObjectiveBatch batch);

    /// <summary>Creates an observer that updates the objective's state from the cosines of a batch before its loss; null: no such state.</summary>
    public virtual CosineObserver? CreateObserver() => null;
}

/// <summary>Receives all cosines of a batch before any margin, tile by tile, before its loss is computed.</summary>
public abstract class CosineObserver
{
    /// <summary>Receives a tile of cosines, [B, T]; those of the targets are negative infinity.</summary>
    public abstract void Add(Tensor cosines);

    /// <summary>Updates the state, given the target cosines, [B].</summary>
    public abstract void Complete(Tensor targetCosine);
}
