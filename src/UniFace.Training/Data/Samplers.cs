using UniFace.Data;

namespace UniFace.Training.Data;

/// <summary>The samplers by name, as --sampler gives it.</summary>
public static class Samplers
{
    /// <summary>uniform, class-balanced, pk.</summary>
    public static IReadOnlyList<string> Names { get; } = ["uniform", "class-balanced", "pk"];

    /// <summary>A sampler by name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="dataset">The set to sample.</param>
    /// <param name="batchSize">Pictures a batch; pk makes it of batchSize / imagesPerPerson people.</param>
    /// <param name="imagesPerPerson">K of pk.</param>
    /// <param name="seed">Seed of the order.</param>
    /// <exception cref="UniFaceException">No sampler has the name, or the batch is no multiple of K.</exception>
    public static ISampler Create(string name, FaceDataset dataset, int batchSize, int imagesPerPerson, long seed)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        switch (name)
        {
            case "uniform":
                return new UniformSampler(dataset.Samples.Count, seed);
            case "class-balanced":
                return new ClassBalancedSampler(dataset, seed);
            case "pk":
                return imagesPerPerson >= 1 && batchSize % imagesPerPerson == 0
                    ? new PersonBatchSampler(dataset, batchSize / imagesPerPerson, imagesPerPerson, seed)
                    : throw new UniFaceException($"a batch of {batchSize} cannot be made of people with {imagesPerPerson} images each; choose --batch as a multiple of --images-per-person.");
            default:
                throw new UniFaceException($"there is no sampler '{name}'; expected one of {string.Join(", ", Names)}.");
        }
    }
}
