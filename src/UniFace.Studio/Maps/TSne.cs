namespace UniFace.Studio.Maps;

/// <summary>
/// Exact t-SNE (van der Maaten and Hinton, Visualizing Data using t-SNE, JMLR 9, 2008). It starts from the principal components and uses no randomness, so
/// the same rows give the same map, and maps of a run's checkpoints are comparable (Kobak and Berens, Nature Communications 10, 2019). Time and memory grow
/// with the square of the number of rows.
/// </summary>
internal static class TSne
{
    private const int Steps = 1000;
    private const int ExaggeratedSteps = 250;
    private const double Exaggeration = 12; // van der Maaten, JMLR 15, 2014
    private const double StartSpread = 1e-4;
    private const double MinRate = 50; // n / exaggeration is larger for many rows (Belkina et al., Nature Communications 10, 2019)
    private const double MinGain = 0.01;

    /// <summary>Maps rows to the plane.</summary>
    /// <param name="rows">[N, K], row after row; the first two columns are the start positions.</param>
    /// <param name="count">N, at least 2.</param>
    /// <param name="perplexity">About the number of neighbours that count: above 1, below N.</param>
    /// <param name="stop">Checked at each step.</param>
    /// <returns>[N, 2], x and y of each point.</returns>
    public static double[] Place(double[] rows, int count, double perplexity, CancellationToken stop)
    {
        int width = rows.Length / count;
        double[] affinities = Affinities(rows, count, perplexity);
        double spread = Math.Sqrt(Enumerable.Range(0, count).Sum(i => rows[i * width] * rows[i * width]) / count);
        double[] positions =
        [
            .. Enumerable.Range(0, count * 2)
                .Select(v => v % 2 < width && spread > 0 ? rows[(v / 2 * width) + (v % 2)] / spread * StartSpread : 0),
        ];
        double[] gradient = new double[count * 2], move = new double[count * 2], gains = [.. Enumerable.Repeat(1.0, count * 2)];
        double rate = Math.Max(MinRate, count / Exaggeration);
        for (int step = 0; step < Steps; step++)
        {
            stop.ThrowIfCancellationRequested();
            bool early = step < ExaggeratedSteps;
            Gradient(affinities, positions, early ? Exaggeration : 1, gradient);
            for (int v = 0; v < positions.Length; v++)
            {
                // A gain grows while gradient and movement agree and shrinks when they do not (Jacobs, Neural Networks 1, 1988).
                gains[v] = gradient[v] * move[v] < 0 ? gains[v] + 0.2 : Math.Max(MinGain, gains[v] * 0.8);
                move[v] = ((early ? 0.5 : 0.8) * move[v]) - (rate * gains[v] * gradient[v]);
                positions[v] += move[v];
            }
        }

        return positions;
    }

    /// <summary>
    /// p_ij of the paper, [N, N]: similarities of rows, symmetric, 0 on the diagonal, with sum 1. The width of each row's Gaussian gives its neighbours the
    /// perplexity.
    /// </summary>
    public static double[] Affinities(double[] rows, int count, double perplexity)
    {
        int width = rows.Length / count;
        double[] given = new double[count * count]; // p_j|i
        for (int i = 0; i < count; i++)
        {
            double[] squares = [.. Enumerable.Range(0, count).Select(j => SquaredDistance(rows.AsSpan(i * width, width), rows.AsSpan(j * width, width)))];
            Neighbours(squares, i, perplexity, given.AsSpan(i * count, count));
        }

        double[] affinities = new double[count * count];
        for (int v = 0; v < affinities.Length; v++)
        {
            affinities[v] = (given[v] + given[(v % count * count) + (v / count)]) / (2.0 * count);
        }

        return affinities;
    }

    /// <summary>p_j|i of one row from its squared distances: bisects the Gaussian's precision until the entropy is log(perplexity).</summary>
    public static void Neighbours(double[] squares, int self, double perplexity, Span<double> shares)
    {
        double nearest = squares.Where((_, j) => j != self).Min();
        double precision = 1, low = 0, high = double.PositiveInfinity;
        for (int turn = 0; turn < 200; turn++)
        {
            double sum = 0, mean = 0;
            for (int j = 0; j < squares.Length; j++)
            {
                double above = squares[j] - nearest; // the largest share is e^0, so the sum is never 0
                shares[j] = j == self ? 0 : Math.Exp(-precision * above);
                sum += shares[j];
                mean += shares[j] * above;
            }

            for (int j = 0; j < squares.Length; j++)
            {
                shares[j] /= sum;
            }

            double excess = Math.Log(sum) + (precision * mean / sum) - Math.Log(perplexity);
            if (Math.Abs(excess) < 1e-10)
            {
                return;
            }

            (low, high) = excess > 0 ? (precision, high) : (low, precision);
            precision = double.IsPositiveInfinity(high) ? precision * 2 : (low + high) / 2;
        }
    }

    /// <summary>
    /// The Kullback-Leibler divergence of the map's affinities (a Student t-distribution with one degree of freedom) from the rows', and its gradient with
    /// respect to the positions, [N, 2].
    /// </summary>
    /// <param name="affinities">[N, N].</param>
    /// <param name="positions">[N, 2].</param>
    /// <param name="exaggeration">Factor of the rows' affinities in the gradient; the divergence is without it.</param>
    /// <param name="gradient">Receives the gradient.</param>
    public static double Gradient(double[] affinities, double[] positions, double exaggeration, double[] gradient)
    {
        int count = positions.Length / 2;
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                sum += 2 * Similarity(i, j);
            }
        }

        Array.Clear(gradient);
        double divergence = 0;
        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                double p = affinities[(i * count) + j], t = Similarity(i, j);
                divergence += p > 0 ? 2 * p * Math.Log(p * sum / t) : 0;
                double pull = 4 * ((exaggeration * p) - (t / sum)) * t;
                double x = pull * (positions[2 * i] - positions[2 * j]), y = pull * (positions[(2 * i) + 1] - positions[(2 * j) + 1]);
                gradient[2 * i] += x;
                gradient[(2 * i) + 1] += y;
                gradient[2 * j] -= x;
                gradient[(2 * j) + 1] -= y;
            }
        }

        return divergence;

        double Similarity(int i, int j) => 1 / (1 + SquaredDistance(positions.AsSpan(2 * i, 2), positions.AsSpan(2 * j, 2)));
    }

    /// <summary>Squared Euclidean distance of two rows.</summary>
    public static double SquaredDistance(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int v = 0; v < a.Length; v++)
        {
            sum += (a[v] - b[v]) * (a[v] - b[v]);
        }

        return sum;
    }
}
