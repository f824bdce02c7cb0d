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
    /// <param name="weights">Weight of each of the merged sets; empty for 1.</param>
    /// <exception cref="UniFaceException">The name is unknown, the batch size is not a multiple of K, or the sampler takes no weights.</exception>
    internal static ISampler Create(
        string name, FaceDataset dataset, int batchSize, int imagesPerPerson, long seed, params IReadOnlyList<double> weights) => name switch
        {
            "uniform" when weights.Any(weight => weight != 1) => new WeightedSampler(dataset, weights, seed),
            "class-balanced" or "pk" when weights.Any(weight => weight != 1) => throw new UniFaceException(
                $"the sampler {name} draws by person, so it takes no weights of data sets; leave the weights out, or use the sampler uniform."),
            "uniform" => new UniformSampler(dataset.Samples.Count, seed),
            "class-balanced" => new ClassBalancedSampler(dataset, seed),
            "pk" when batchSize % imagesPerPerson == 0 => new PersonBatchSampler(dataset, batchSize / imagesPerPerson, imagesPerPerson, seed),
            "pk" => throw new UniFaceException(
                $"a batch of {batchSize} is not a multiple of {imagesPerPerson} images per person, which the sampler pk needs."),
            _ => throw new UniFaceException($"there is no sampler '{name}'; expected one of {string.Join(", ", Names)}."),
        };
}
