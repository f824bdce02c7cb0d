namespace UniFace.Training.Data;

/// <summary>Every image once per epoch, in a different random order each epoch.</summary>
internal sealed class UniformSampler : ISampler
{
    private readonly long seed;

    /// <summary>A sampler over this many images.</summary>
    public UniformSampler(int samples, long seed)
    {
        Length = samples;
        this.seed = seed;
    }

    /// <inheritdoc/>
    public int Length { get; }

    /// <inheritdoc/>
    public int[] Epoch(int epoch)
    {
        int[] order = [.. Enumerable.Range(0, Length)];
        new SeededRandom(seed, RandomStream.EpochOrder, epoch).Shuffle<int>(order);
        return order;
    }
}
