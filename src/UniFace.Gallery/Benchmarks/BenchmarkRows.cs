namespace UniFace.Gallery.Benchmarks;

/// <summary>
/// Rows to measure a search with: random directions, each a pure function of the seed and its number, so that nobody has to keep them.
/// One in a hundred is a copy of another, one in a hundred nearly so: ties and near-duplicates must be ordered too.
/// </summary>
public sealed class BenchmarkRows
{
    private readonly long seed;

    /// <summary>Rows of a seed.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="dimension">Values in a row, 1 or more.</param>
    public BenchmarkRows(long seed, int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        this.seed = seed;
        Dimension = dimension;
    }

    /// <summary>Values in a row.</summary>
    public int Dimension { get; }

    /// <summary>Writes row <paramref name="number"/>, of norm 1.</summary>
    public void Row(long number, Span<float> row)
    {
        SeededRandom random = new(seed, RandomStream.BenchmarkRows, number);
        int kind = number == 0 ? 99 : random.Next(100);
        if (kind > 1)
        {
            Direction(random, row);
            return;
        }

        // Of a row that is no copy itself: those before it may be, so the direction is drawn as that row's would be.
        SeededRandom origin = new(seed, RandomStream.BenchmarkRows, (long)(random.NextDouble() * number));
        _ = origin.Next(100);
        Direction(origin, row);
        if (kind == 1)
        {
            Nudge(random, row, 1e-4);
        }
    }

    /// <summary>Writes query <paramref name="number"/>: in turns a new direction and one close to a row, as a known person's face is.</summary>
    /// <param name="number">Which.</param>
    /// <param name="rows">How many rows there are.</param>
    /// <param name="query">[D], of norm 1.</param>
    public void Query(long number, long rows, Span<float> query)
    {
        SeededRandom random = new(seed, RandomStream.BenchmarkQueries, number);
        if (number % 2 == 0)
        {
            Direction(random, query);
            return;
        }

        Row((long)(random.NextDouble() * rows), query);
        Nudge(random, query, 1 / Math.Sqrt(Dimension));
    }

    private static void Direction(SeededRandom random, Span<float> row)
    {
        for (int i = 0; i < row.Length; i += 2)
        {
            double radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            (double sine, double cosine) = Math.SinCos(2 * Math.PI * random.NextDouble());
            row[i] = (float)(radius * cosine);
            if (i + 1 < row.Length)
            {
                row[i + 1] = (float)(radius * sine);
            }
        }

        Normalise(row);
    }

    private static void Nudge(SeededRandom random, Span<float> row, double by)
    {
        for (int i = 0; i < row.Length; i++)
        {
            row[i] += (float)(by * random.Between(-1, 1));
        }

        Normalise(row);
    }

    private static void Normalise(Span<float> row)
    {
        double square = 0;
        foreach (float value in row)
        {
            square += (double)value * value;
        }

        double factor = 1 / Math.Sqrt(square);
        for (int i = 0; i < row.Length; i++)
        {
            row[i] = (float)(row[i] * factor);
        }
    }
}
