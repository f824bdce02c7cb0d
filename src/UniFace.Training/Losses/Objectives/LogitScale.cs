using static TorchSharp.torch;

namespace UniFace.Training.Losses.Objectives;

/// <summary>What makes logits of the softmax's similarities.</summary>
public abstract class LogitScale : nn.Module
{
    /// <summary>A scale.</summary>
    protected LogitScale(string name)
        : base(name)
    {
    }

    /// <summary>True where the factor is the embedding's length, which then has a gradient.</summary>
    public virtual bool IsNorm => false;

    /// <summary>See <see cref="Objective.Observe"/>.</summary>
    public virtual CosineObserver? Observe() => null;

    /// <summary>The factor of each sample, [B, 1] or [1, 1], of embedding lengths [B].</summary>
    public abstract Tensor Factor(Tensor norm);
}

/// <summary>A constant s.</summary>
public sealed class FixedScale(double scale) : LogitScale(nameof(FixedScale))
{
    /// <inheritdoc/>
    public override Tensor Factor(Tensor norm)
    {
        ArgumentNullException.ThrowIfNull(norm);
        return full([1, 1], scale, dtype: norm.dtype, device: norm.device);
    }
}

/// <summary>The length of the embedding itself: SphereFace, where only the centers are normalised.</summary>
public sealed class NormScale() : LogitScale(nameof(NormScale))
{
    /// <inheritdoc/>
    public override bool IsNorm => true;

    /// <inheritdoc/>
    public override Tensor Factor(Tensor norm)
    {
        ArgumentNullException.ThrowIfNull(norm);
        return norm.unsqueeze(1);
    }
}
