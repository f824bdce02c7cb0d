namespace UniFace.Benchmarks;

/// <summary>
/// Random rows for search benchmarks. Each is a pure function of the seed and its number, so none need be stored. One in a hundred is a copy of
/// another row, and one in a hundred a near-duplicate, because the order of ties and near-ties is checked too.
/// </summary>
internal sealed class BenchmarkRows
{
    private readonly long seed;

    public BenchmarkRows(long seed, int dimension)
    {
        this.seed = seed;
        Dimension = dimension;
    }

    /// <summary>Values per row.</summary>
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

        // The direction that the other row would have if it were no copy itself.
        SeededRandom origin = new(seed, RandomStream.BenchmarkRows, (long)(random.NextDouble() * number));
        _ = origin.Next(100);
        Direction(origin, row);
        if (kind == 1)
        {
            Nudge(random, row, 1e-4);
        }
    }

    /// <summary>Writes query <paramref name="number"/>: alternately a new direction, and one close to a row, as for an enrolled person.</summary>
    /// <param name="number">The query's number.</param>
    /// <param name="rows">The number of rows.</param>
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

        Normalize(row);
    }

    private static void Nudge(SeededRandom random, Span<float> row, double by)
    {
        for (int i = 0; i < row.Length; i++)
        {
            row[i] += (float)(by * random.Between(-1, 1));
        }

        Normalize(row);
    }

    private static void Normalize(Span<float> row)
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
