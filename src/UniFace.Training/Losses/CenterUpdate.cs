namespace UniFace.Training.Losses;

/// <summary>What becomes of the gradient of the class centers in a step.</summary>
public abstract record CenterUpdate
{
    private CenterUpdate()
    {
    }

    /// <summary>Adds the gradient, [C * K, D], to the parameter's own, for an optimizer.</summary>
    public static CenterUpdate Accumulate { get; } = new AccumulateUpdate();

    /// <summary>Leaves the centers alone and computes no gradient of them.</summary>
    public static CenterUpdate None { get; } = new NoUpdate();

    /// <summary>
    /// Moves the centers tile by tile without ever holding their gradient: v = momentum * v + g + decay * w, w = w - rate * v, which is
    /// torch.optim.SGD's update. A step over several batches decays once, before its first gradient, and moves once, after its last.
    /// </summary>
    /// <param name="LearningRate">The rate of this step.</param>
    /// <param name="Momentum">Factor of the momentum, 0 to below 1.</param>
    /// <param name="WeightDecay">
    /// Factor of the weight decay, of the centers as they are stored: through the normalisation it sets how fast a center can still turn.
    /// </param>
    public sealed record Sgd(double LearningRate, double Momentum, double WeightDecay) : CenterUpdate;

    private sealed record AccumulateUpdate : CenterUpdate;

    private sealed record NoUpdate : CenterUpdate;
}

/// <summary>What one batch of a step does to the centers.</summary>
/// <param name="Update">The step's update.</param>
/// <param name="First">This is the first batch of the step.</param>
/// <param name="Last">This is the last batch of the step.</param>
internal readonly record struct CenterMove(CenterUpdate Update, bool First, bool Last)
{
    /// <summary>The same batch without any change of the centers.</summary>
    public CenterMove Frozen => this with { Update = CenterUpdate.None };
}
