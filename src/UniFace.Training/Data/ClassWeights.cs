namespace UniFace.Training.Data;

/// <summary>
/// Weights of the losses by person, against class imbalance. Their mean over the samples is 1, so that the learning rate keeps its meaning.
/// </summary>
internal static class ClassWeights
{
    /// <summary>none, inverse, effective.</summary>
    public static IReadOnlyList<string> Names { get; } = ["none", "inverse", "effective"];

    /// <summary>
    /// Weights from the number of images per person, n. inverse: 1 / n. effective: (1 - beta) / (1 - beta^n), the inverse of the effective
    /// number of samples (Cui et al., CVPR 2019); beta 0 gives equal weights, beta near 1 gives inverse.
    /// </summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="counts">Images of each person, each at least 1.</param>
    /// <param name="beta">Beta of the effective number of samples, in [0, 1); the paper uses 0.9 to 0.9999.</param>
    /// <returns>A weight per person, or null for none.</returns>
    /// <exception cref="UniFaceException">The name is unknown, or beta is out of range.</exception>
    internal static float[]? Compute(string name, IReadOnlyList<int> counts, double beta = 0.999)
    {
        if (!(beta >= 0 && beta < 1))
        {
            throw new UniFaceException(FormattableString.Invariant(
                $"beta {beta} of the effective number of samples is out of range; expected 0 <= beta < 1."));
        }

        Func<int, double>? weight = name switch
        {
            "none" => null,
            "inverse" => count => 1.0 / count,
            "effective" => count => (1 - beta) / (1 - Math.Pow(beta, count)),
            _ => throw new UniFaceException($"there is no class weight '{name}'; expected one of {string.Join(", ", Names)}."),
        };
        if (weight is null)
        {
            return null;
        }

        double sum = counts.Sum(count => weight(count) * count);
        double samples = counts.Sum(count => (double)count);
        return [.. counts.Select(count => (float)(weight(count) * samples / sum))];
    }
}
