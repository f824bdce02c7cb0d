using UniFace.Data;

namespace UniFace.Training.Data;

/// <summary>Weights of the samples' losses by person, against imbalance. Their mean over the samples is 1, so that they do not change the learning rate.</summary>
public static class ClassWeights
{
    /// <summary>none, inverse, effective.</summary>
    public static IReadOnlyList<string> Names { get; } = ["none", "inverse", "effective"];

    /// <summary>
    /// Weights for people with so many pictures each. inverse: 1 / n. effective: (1 - beta) / (1 - beta^n), the inverse of the effective
    /// number of samples (Cui et al., CVPR 2019); beta 0 weighs all alike, beta near 1 is inverse.
    /// </summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="counts">Pictures of each person, each at least 1.</param>
    /// <param name="beta">Of effective, in [0, 1); the paper tries 0.9 to 0.9999.</param>
    /// <returns>A weight for each person, or null for none.</returns>
    /// <exception cref="UniFaceException">No weighting has the name, or beta is out of range.</exception>
    public static float[]? Compute(string name, IReadOnlyList<int> counts, double beta = 0.999)
    {
        ArgumentNullException.ThrowIfNull(counts);
        if (counts.Any(count => count < 1))
        {
            throw new UniFaceException("class weights need at least one picture of each person.");
        }

        if (!(beta >= 0 && beta < 1))
        {
            throw new UniFaceException(FormattableString.Invariant($"beta {beta} of the effective number of samples is out of range; expected 0 <= beta < 1."));
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

        double sum = 0;
        double samples = 0;
        for (int i = 0; i < weights.Length; i++)
        {
            sum += weights[i] * counts[i];
            samples += counts[i];
        }

        return [.. weights.Select(weight => (float)(weight * samples / sum))];
    }

    /// <summary>Weights for the people of a data set.</summary>
    public static float[]? Compute(string name, FaceDataset dataset, double beta = 0.999) =>
        Compute(name, [.. dataset.SamplesByPerson().Select(samples => samples.Length)], beta);
}
