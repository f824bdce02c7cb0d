namespace UniFace.Training.Data;

/// <summary>Every image once per epoch, in a different random order each epoch.</summary>
/// <param name="samples">Number of images.</param>
/// <param name="seed">Seed of the order.</param>
internal sealed class UniformSampler(int samples, long seed) : ISampler
{
    /// <inheritdoc/>
    public int Length => samples;

    /// <inheritdoc/>
    public int[] GetOrder(int epoch)
    {
        int[] order = [.. Enumerable.Range(0, Length)];
        new SeededRandom(seed, RandomStream.EpochOrder, epoch).Shuffle<int>(order);
        return order;
    }
}
