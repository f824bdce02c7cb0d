namespace UniFace.Gallery.Tests.Index;

/// <summary>Rows to search, generated from a seed.</summary>
internal static class Rows
{
    /// <summary>Random directions, [count, size].</summary>
    public static float[][] Random(int count, int size, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Unit([.. Enumerable.Range(0, size).Select(_ => Gauss(random))]))];
    }

    /// <summary>Random directions, among them copies of each other, near-copies, one-hot rows and rows of one value.</summary>
    public static float[][] Hard(int count, int size, int seed)
    {
        Random random = new(seed);
        float[][] rows = Random(count, size, seed);
        for (int i = 0; i < count; i++)
        {
            switch (random.Next(6))
            {
                case 0 when i > 0:
                    rows[i] = [.. rows[random.Next(i)]];
                    break;
                case 1 when i > 0:
                    float[] near = [.. rows[random.Next(i)]];
                    near[random.Next(size)] += (float)(1e-4 * Gauss(random));
                    rows[i] = Unit(near);
                    break;
                case 2:
                    rows[i] = new float[size];
                    rows[i][random.Next(size)] = random.Next(2) == 0 ? 1 : -1;
                    break;
                case 3 when random.Next(4) == 0:
                    rows[i] = Unit([.. Enumerable.Repeat(1f, size)]);
                    break;
            }
        }

        return rows;
    }

    /// <summary>The definition of the score, one addition at a time.</summary>
    public static double Score(float[] x, float[] y)
    {
        double[] lanes = new double[8];
        for (int i = 0; i < x.Length; i++)
        {
            lanes[i % 8] = lanes[i % 8] + ((double)x[i] * (double)y[i]);
        }

        return (lanes[0] + lanes[4]) + (lanes[2] + lanes[6]) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
    }

    /// <summary>The best rows by a comparison with every row: (id, score), the larger score first, then the smaller id.</summary>
    public static (long Id, double Score)[] Best(IEnumerable<(long Id, long Key, float[] Row)> rows, float[] query, int k, bool distinctKeys = false)
    {
        IOrderedEnumerable<(long Id, long Key, double Score)> all =
            rows.Select(r => (r.Id, r.Key, Score: Score(query, r.Row))).OrderByDescending(r => r.Score).ThenBy(r => r.Id);
        return [.. (distinctKeys ? all.DistinctBy(r => r.Key) : all).Take(k).Select(r => (r.Id, r.Score))];
    }

    /// <summary>The direction of a vector.</summary>
    public static float[] Unit(float[] values)
    {
        double norm = Math.Sqrt(values.Sum(v => (double)v * v));
        return [.. values.Select(v => (float)(v / norm))];
    }

    private static float Gauss(Random random) => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
