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

    /// <summary>See <see cref="Objective.Observe"/>.</summary>
    public virtual void Observe(Tensor cosines, Tensor targetCosine, Tensor columns)
    {
    }

    /// <summary>Logits [B, R] of similarities [B, R] and embedding lengths [B].</summary>
    public abstract Tensor Apply(Tensor similarities, Tensor norm);
}

/// <summary>A constant s.</summary>
public sealed class FixedScale(double scale) : LogitScale(nameof(FixedScale))
{
    /// <inheritdoc/>
    public override Tensor Apply(Tensor similarities, Tensor norm)
    {
        ArgumentNullException.ThrowIfNull(similarities);
        return similarities * scale;
    }
}

/// <summary>The length of the embedding itself: SphereFace, where only the centers are normalised.</summary>
public sealed class NormScale() : LogitScale(nameof(NormScale))
{
    /// <inheritdoc/>
    public override Tensor Apply(Tensor similarities, Tensor norm)
    {
        ArgumentNullException.ThrowIfNull(norm);
        return similarities * norm.unsqueeze(1);
    }
}
