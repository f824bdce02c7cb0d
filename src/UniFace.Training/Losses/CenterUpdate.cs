namespace UniFace.Training.Losses;

/// <summary>
/// What a head does with the gradient of its class centers as it walks them: v = momentum * v + g + decay * w, w = w - rate * v,
/// torch.optim.SGD's update, tile by tile. A step over several batches decays once, before its first gradient, and moves once, after its last.
/// </summary>
/// <param name="LearningRate">The rate of this step.</param>
/// <param name="Momentum">Factor of the momentum, 0 to below 1.</param>
/// <param name="WeightDecay">Factor of the weight decay, of the centers as they are stored: through the normalisation it sets how fast a center can still turn.</param>
/// <param name="First">This is the first batch of the step.</param>
/// <param name="Last">This is the last batch of the step.</param>
public sealed record CenterUpdate(double LearningRate, double Momentum, double WeightDecay, bool First = true, bool Last = true)
{
    /// <summary>Leaves the centers alone and keeps no gradient of them.</summary>
    public static CenterUpdate None { get; } = new(0, 0, 0, false, false);
}
