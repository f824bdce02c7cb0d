namespace UniFace.Training.Data;

/// <summary>
/// Weights of the losses by person, against class imbalance. Their mean over the samples is 1, so that the learning rate keeps its meaning.
/// </summary>
public static class ClassWeights
{
    /// <summary>none, inverse, effective.</summary>
    public static IReadOnlyList<string> Names { get; } = ["none", "inverse", "effective"];

    /// <summary>
    /// Weights from the number of images per person, n. inverse: 1 / n. effective: (1 - beta) / (1 - beta^n), the inverse of the effective
    /// number of samples (Cui et al., CVPR 2019); beta 0 gives equal weights, beta near 1 gives inverse.
    /// </summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="counts">Images of each person, each at least 1.</param>
    /// <param name="beta">Of effective, in [0, 1); the paper uses 0.9 to 0.9999.</param>
    /// <returns>A weight per person, or null for none.</returns>
    /// <exception cref="UniFaceException">The name is unknown, or beta is out of range.</exception>
    internal static float[]? Compute(string name, IReadOnlyList<int> counts, double beta = 0.999)
    {
        if (counts.Any(count => count < 1))
        {
            throw new UniFaceException("class weights need at least one image of every person.");
        }

        if (!(beta >= 0 && beta < 1))
        {
            throw new UniFaceException(FormattableString.Invariant(
                $"beta {beta} of the effective number of samples is out of range; expected 0 <= beta < 1."));
        }

        double[] weights;
        switch (name)
        {
            case "none":
                return null;
            case "inverse":
                weights = [.. counts.Select(count => 1.0 / count)];
                break;
            case "effective":
                weights = [.. counts.Select(count => (1 - beta) / (1 - Math.Pow(beta, count)))];
                break;
            default:
                throw new UniFaceException($"there is no class weight '{name}'; expected one of {string.Join(", ", Names)}.");
        }

        double sum = weights.Zip(counts, (weight, count) => weight * count).Sum();
        double samples = counts.Sum(count => (double)count);
        return [.. weights.Select(weight => (float)(weight * samples / sum))];
    }

    /// <summary>Weights for the people of a data set.</summary>
    internal static float[]? Compute(string name, FaceDataset dataset, double beta = 0.999) =>
        Compute(name, [.. dataset.SamplesByPerson().Select(samples => samples.Length)], beta);
}
