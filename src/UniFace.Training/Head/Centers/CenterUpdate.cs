namespace UniFace.Training.Head.Centers;

/// <summary>What a step does with the gradient of the class centers.</summary>
internal abstract record CenterUpdate
{
    private CenterUpdate()
    {
    }

    /// <summary>Adds the gradient, [C * K, D], to that of the parameter, for an optimizer.</summary>
    public static CenterUpdate Accumulate { get; } = new AccumulateUpdate();

    /// <summary>Leaves the centers unchanged and computes no gradient of them.</summary>
    public static CenterUpdate None { get; } = new NoUpdate();

    /// <summary>
    /// Updates the centers tile by tile without holding their gradient: v = momentum * v + g + decay * w, w = w - rate * v, as
    /// torch.optim.SGD does. A step over several batches decays once, with its first gradient, and moves the centers once, with its last.
    /// </summary>
    /// <param name="LearningRate">The learning rate of this step.</param>
    /// <param name="Momentum">Momentum factor, 0 to below 1.</param>
    /// <param name="WeightDecay">
    /// Weight decay of the centers as stored. Because only directions count, it determines how fast a center can still rotate.
    /// </param>
    public sealed record Sgd(double LearningRate, double Momentum, double WeightDecay) : CenterUpdate;

    private sealed record AccumulateUpdate : CenterUpdate;

    private sealed record NoUpdate : CenterUpdate;
}

/// <summary>What one batch of a step does to the centers.</summary>
/// <param name="Update">The update of the step.</param>
/// <param name="First">True for the first batch of the step.</param>
/// <param name="Last">True for the last batch of the step.</param>
internal readonly record struct BatchUpdate(CenterUpdate Update, bool First, bool Last)
{
    /// <summary>The same batch without any change of the centers.</summary>
    public BatchUpdate WithoutUpdate => this with { Update = CenterUpdate.None };
}
