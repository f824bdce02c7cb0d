namespace UniFace.Server.Lab;

/// <summary>
/// Invented data: ten classes in a space of 16 dimensions, each a bent cloud around a place of its own, near enough to its neighbours
/// that a straight line does not part them.
/// </summary>
internal static class TenClasses
{
    /// <summary>Classes.</summary>
    public const int Classes = 10;

    /// <summary>Samples of each class.</summary>
    public const int PerClass = 40;

    /// <summary>Values of a sample.</summary>
    public const int Values = 16;

    /// <summary>The class of each sample, [N].</summary>
    public static IReadOnlyList<int> Labels { get; } = [.. Enumerable.Range(0, Classes * PerClass).Select(i => i / PerClass)];

    /// <summary>The samples, [N * Values], class after class.</summary>
    public static float[] Draw(long seed)
    {
        Random random = new((int)(seed % int.MaxValue));
        double[][] places = [.. Enumerable.Range(0, Classes).Select(_ => Normals(random))];
        double[][] bends = [.. Enumerable.Range(0, Classes).Select(_ => Normals(random))];
        float[] samples = new float[Classes * PerClass * Values];
        for (int sample = 0; sample < Classes * PerClass; sample++)
        {
            int label = Labels[sample];
            double along = Normal(random);
            double[] noise = Normals(random);
            for (int v = 0; v < Values; v++)
            {
                double bent = (0.4 * along * bends[label][v]) + (0.25 * ((along * along) - 1) * places[(label + 1) % Classes][v]);
                samples[(sample * Values) + v] = (float)(places[label][v] + bent + (0.5 * noise[v]));
            }
        }

        return samples;
    }

    /// <summary>A standard normal draw (Box and Muller).</summary>
    public static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static double[] Normals(Random random) => [.. Enumerable.Range(0, Values).Select(_ => Normal(random))];
}
