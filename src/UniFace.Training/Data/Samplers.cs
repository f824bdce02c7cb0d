namespace UniFace.Training.Data;

/// <summary>The samplers by name.</summary>
internal static class Samplers
{
    /// <summary>uniform, class-balanced, pk.</summary>
    public static IReadOnlyList<string> Names { get; } = ["uniform", "class-balanced", "pk"];

    /// <summary>A sampler by name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="dataset">The set to sample.</param>
    /// <param name="batchSize">Images per batch; pk takes batchSize / imagesPerPerson people per batch.</param>
    /// <param name="imagesPerPerson">K of pk.</param>
    /// <param name="seed">Seed of the order.</param>
    /// <exception cref="UniFaceException">The name is unknown, or the batch size is not a multiple of K.</exception>
    internal static ISampler Create(string name, FaceDataset dataset, int batchSize, int imagesPerPerson, long seed) => name switch
    {
        "uniform" => new UniformSampler(dataset.Samples.Count, seed),
        "class-balanced" => new ClassBalancedSampler(dataset, seed),
        "pk" when batchSize % imagesPerPerson == 0 => new PersonBatchSampler(dataset, batchSize / imagesPerPerson, imagesPerPerson, seed),
        "pk" => throw new UniFaceException($"a batch of {batchSize} is not a multiple of {imagesPerPerson} images per person, which the sampler pk needs."),
        _ => throw new UniFaceException($"there is no sampler '{name}'; expected one of {string.Join(", ", Names)}."),
    };
}
