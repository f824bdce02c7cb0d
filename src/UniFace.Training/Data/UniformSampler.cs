namespace UniFace.Training.Data;

/// <summary>Every picture once an epoch, in a new random order each time.</summary>
public sealed class UniformSampler : ISampler
{
    private readonly long seed;

    /// <summary>A sampler over this many pictures.</summary>
    public UniformSampler(int samples, long seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
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
