namespace UniFace.Training.Data;

/// <summary>The images of an epoch and their order. A pure function of (seed, epoch), so that a position in training is (epoch, batch).</summary>
internal interface ISampler
{
    /// <summary>Images per epoch; the same for every epoch.</summary>
    int Length { get; }

    /// <summary>Indices of the samples of an epoch in order, <see cref="Length"/> of them.</summary>
    int[] GetOrder(int epoch);
}
