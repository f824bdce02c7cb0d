namespace UniFace.Training.Data;

/// <summary>Which pictures an epoch shows, in which order. A pure function of (seed, epoch): a position in training is just (epoch, batch).</summary>
public interface ISampler
{
    /// <summary>Samples of every epoch; the same for all.</summary>
    int Length { get; }

    /// <summary>Indices into the data set's samples, in the order in which they are shown.</summary>
    int[] Epoch(int epoch);
}

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
        new SeededRandom(seed, epoch, 1).Shuffle<int>(order);
        return order;
    }
}
