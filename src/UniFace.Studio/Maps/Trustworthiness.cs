namespace UniFace.Studio.Maps;

/// <summary>
/// How far neighbours on a map are neighbours among the rows: 1 if every point's nearest are its row's nearest, about 0.5 for random positions (Venna and
/// Kaski, Neural Networks 19, 2006).
/// </summary>
internal static class Trustworthiness
{
    /// <summary>Measures a map.</summary>
    /// <param name="rows">[N, K], row after row; compared by Euclidean distance.</param>
    /// <param name="positions">[N, 2].</param>
    /// <param name="count">N.</param>
    /// <param name="neighbours">Number of nearest points compared: at least 1, below N / 2.</param>
    public static double Measure(double[] rows, double[] positions, int count, int neighbours)
    {
        long penalty = 0;
        for (int i = 0; i < count; i++)
        {
            int[] ranks = new int[count]; // 1: the nearest row
            foreach ((int j, int rank) in Nearest(rows, count, i).Select((j, rank) => (j, rank + 1)))
            {
                ranks[j] = rank;
            }

            penalty += Nearest(positions, count, i).Take(neighbours).Sum(j => Math.Max(0, ranks[j] - neighbours));
        }

        return 1 - (2.0 / ((double)count * neighbours * ((2 * count) - (3 * neighbours) - 1)) * penalty);
    }

    /// <summary>The other rows, nearest first.</summary>
    private static IEnumerable<int> Nearest(double[] rows, int count, int self)
    {
        int width = rows.Length / count;
        return Enumerable.Range(0, count).Where(j => j != self)
            .OrderBy(j => TSne.SquaredDistance(rows.AsSpan(self * width, width), rows.AsSpan(j * width, width)));
    }
}
