namespace UniFace.Training.Losses;

/// <summary>Softmax cross-entropy of scaled cosines.</summary>
public abstract class ScaledSoftmaxLoss : Loss
{
    /// <summary>s, factor that makes logits of cosines, above 0 and up to 10,000.</summary>
    [Scale]
    public double Scale { get; init; } = 64;

    /// <inheritdoc/>
    protected override Objective CreateObjective(HeadShape shape) => new SoftmaxObjective(Scale);
}
