namespace UniFace.Studio.Lab;

/// <summary>
/// Synthetic data: ten classes in 16 dimensions, each a curved cloud around its own center, so close to its neighbors that they are not linearly separable.
/// </summary>
internal static class TenClasses
{
    /// <summary>Number of classes.</summary>
    public const int Classes = 10;

    /// <summary>Samples per class.</summary>
    public const int PerClass = 40;

    /// <summary>Dimensions of a sample.</summary>
    public const int Dimensions = 16;

    /// <summary>The class of each sample, [N].</summary>
    public static IReadOnlyList<int> Labels { get; } = [.. Enumerable.Range(0, Classes * PerClass).Select(i => i / PerClass)];

    /// <summary>The samples, [N * Dimensions], class by class.</summary>
    public static float[] Draw(SeededRandom random)
    {
        double[][] centers = [.. Enumerable.Range(0, Classes).Select(_ => Normals(random))];
        double[][] curves = [.. Enumerable.Range(0, Classes).Select(_ => Normals(random))];
        float[] samples = new float[Labels.Count * Dimensions];
        for (int sample = 0; sample < Labels.Count; sample++)
        {
            int label = Labels[sample];
            double t = Normal(random);
            double[] noise = Normals(random);
            for (int v = 0; v < Dimensions; v++)
            {
                double offset = (0.4 * t * curves[label][v]) + (0.25 * ((t * t) - 1) * centers[(label + 1) % Classes][v]);
                samples[(sample * Dimensions) + v] = (float)(centers[label][v] + offset + (0.5 * noise[v]));
            }
        }

        return samples;
    }

    /// <summary>A standard normal draw (Box and Muller).</summary>
    public static double Normal(SeededRandom random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static double[] Normals(SeededRandom random) => [.. Enumerable.Range(0, Dimensions).Select(_ => Normal(random))];
}
