namespace UniFace.Server.Runs;

/// <summary>
/// How far one may trust that what lies side by side on a map does so among the rows, too: 1 where every point's nearest on the map are
/// its row's nearest, about 0.5 where places are drawn at random (Venna and Kaski, Neural Networks 19, 2006).
/// </summary>
internal static class Trustworthiness
{
    /// <summary>Measures a map.</summary>
    /// <param name="rows">[N, K], row after row; told apart by Euclidean distance.</param>
    /// <param name="places">[N, 2].</param>
    /// <param name="count">N.</param>
    /// <param name="neighbours">How many of a point's nearest are looked at: at least 1, below N / 2.</param>
    public static double Of(double[] rows, double[] places, int count, int neighbours)
    {
        long penalty = 0;
        for (int i = 0; i < count; i++)
        {
            int[] ranks = new int[count]; // 1: the nearest row
            foreach ((int j, int rank) in Nearest(rows, count, i).Select((j, rank) => (j, rank + 1)))
            {
                ranks[j] = rank;
            }

            penalty += Nearest(places, count, i).Take(neighbours).Sum(j => Math.Max(0, ranks[j] - neighbours));
        }

        return 1 - (2.0 / ((double)count * neighbours * ((2 * count) - (3 * neighbours) - 1)) * penalty);
    }

    /// <summary>The others, the nearest first.</summary>
    private static IEnumerable<int> Nearest(double[] rows, int count, int self)
    {
        int width = rows.Length / count;
        return Enumerable.Range(0, count).Where(j => j != self).OrderBy(j => TSne.Square(rows.AsSpan(self * width, width), rows.AsSpan(j * width, width)));
    }
}
