using System.Globalization;
using UniFace.Gallery;

namespace UniFace.Benchmarks.Galleries;

/// <summary>What the templates of a benchmark look like.</summary>
internal enum FaceDistribution
{
    /// <summary>
    /// People are random directions, and templates scatter around them: two templates of a person have a cosine of about 0.6 ± 0.1, those of two
    /// people 0 ± 0.1.
    /// </summary>
    Clustered,

    /// <summary>Templates are random directions, of one person each. The worst case for a graph: no template is near another.</summary>
    Random,
}

/// <summary>
/// Templates of invented people. Each is a pure function of the seed, the person and its number, so that none need be stored and a stopped load can
/// continue.
/// </summary>
internal sealed class GalleryFaces
{
    // The mean square of a template's share of its person's direction is the mean cosine of two templates.
    private const double MeanCosine = 0.6, ShareSpread = 0.07;

    // Cosines of random directions have a standard deviation of 0.1 in 100 dimensions.
    private const double MaxDimensions = 100;

    private readonly FaceDistribution distribution;
    private readonly long seed;
    private readonly double[] scales;

    public GalleryFaces(FaceDistribution distribution, long seed, int dimension, int perPerson)
    {
        this.distribution = distribution;
        this.seed = seed;
        Dimension = dimension;
        PerPerson = distribution == FaceDistribution.Random ? 1 : perPerson;
        scales = distribution == FaceDistribution.Random ? [.. Enumerable.Repeat(1.0, dimension)] : Decay(dimension);
    }

    /// <summary>Values per template.</summary>
    public int Dimension { get; }

    /// <summary>Templates per person.</summary>
    public int PerPerson { get; }

    /// <summary>Identifies the templates, as the contract of a gallery.</summary>
    public string ContractId => string.Create(CultureInfo.InvariantCulture, $"bench-{distribution}-{Dimension}-{PerPerson}-{seed}");

    /// <summary>A person's name.</summary>
    public static string Name(long person) => person.ToString("D9", CultureInfo.InvariantCulture);

    /// <summary>A template of a person, [D], of norm 1. Those from number <see cref="PerPerson"/> on are not enrolled: they are probes.</summary>
    public float[] Template(long person, int number)
    {
        double[] values = Direction(new SeededRandom(seed, RandomStream.BenchmarkRows, person, distribution == FaceDistribution.Random ? number : -1));
        if (distribution == FaceDistribution.Clustered)
        {
            SeededRandom random = new(seed, RandomStream.BenchmarkRows, person, number);
            double share = Math.Clamp(Math.Sqrt(MeanCosine) + (ShareSpread * Math.Sqrt(3) * random.Between(-1, 1)), 0, 1);
            double rest = Math.Sqrt(1 - (share * share));
            double[] scatter = Direction(random);
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = (share * values[i]) + (rest * scatter[i]);
            }
        }

        double factor = 1 / Norm(values);
        return [.. values.Select(v => (float)(v * factor))];
    }

    /// <summary>The templates of a person to enroll.</summary>
    public IEnumerable<Enrollment> Enrollments(long person, string? name = null) =>
        Enumerable.Range(0, PerPerson).Select(number => new Enrollment(name ?? Name(person), Template(person, number)));

    private double[] Direction(SeededRandom random)
    {
        double[] values = new double[Dimension];
        for (int i = 0; i < values.Length; i += 2)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            (double sine, double cosine) = Math.SinCos(2 * Math.PI * random.NextDouble());
            values[i] = radius * cosine * scales[i];
            if (i + 1 < values.Length)
            {
                values[i + 1] = radius * sine * scales[i + 1];
            }
        }

        double factor = 1 / Norm(values);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] *= factor;
        }

        return values;
    }

    private static double Norm(double[] values) => Math.Sqrt(values.Sum(v => v * v));

    // Standard deviations that fall exponentially, so that the cosines of random directions vary as in MaxDimensions dimensions: variances
    // exp(-i / t) have the participation ratio 2 t tanh(D / 2 t).
    private static double[] Decay(int dimension)
    {
        double low = 1, high = 1e6;
        for (int i = 0; i < 100; i++)
        {
            double middle = Math.Sqrt(low * high);
            (low, high) = 2 * middle * Math.Tanh(dimension / (2 * middle)) < MaxDimensions ? (middle, high) : (low, middle);
        }

        return [.. Enumerable.Range(0, dimension).Select(i => Math.Exp(-i / (2 * high)))];
    }
}
