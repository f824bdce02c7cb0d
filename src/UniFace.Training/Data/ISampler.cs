namespace UniFace.Training.Data;

/// <summary>Which pictures an epoch shows, in which order. A pure function of (seed, epoch): a position in training is just (epoch, batch).</summary>
public interface ISampler
{
    /// <summary>Pictures shown in an epoch; the same for all epochs.</summary>
    int Length { get; }

    /// <summary>Indices into the data set's samples, <see cref="Length"/> of them, in the order in which they are shown.</summary>
    int[] Epoch(int epoch);
}
