using TorchSharp;
using static TorchSharp.torch;

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
    /// <param name="rows">[N, K], float64; the first two columns are the start positions.</param>
    /// <param name="perplexity">About the number of neighbours that count: at least 1, below N.</param>
    /// <param name="stop">Checked at each step.</param>
    /// <returns>[N, 2], x and y of each point.</returns>
    public static Tensor Place(Tensor rows, double perplexity, CancellationToken stop)
    {
        using DisposeScope scope = NewDisposeScope();
        int count = (int)rows.shape[0];
        double[] affinities = Affinities(rows, perplexity).data<double>().ToArray(); // [N, N]
        double spread = rows.select(1, 0).square().mean().sqrt().item<double>();
        Tensor start = zeros(count, 2, ScalarType.Float64);
        start.slice(1, 0, rows.shape[1], 1).copy_(rows.slice(1, 0, 2, 1) * (spread > 0 ? StartSpread / spread : 0));
        double[] positions = start.data<double>().ToArray(), move = new double[count * 2], gains = [.. Enumerable.Repeat(1.0, count * 2)]; // [N, 2]
        double rate = Math.Max(MinRate, count / Exaggeration);
        for (int step = 0; step < Steps; step++)
        {
            stop.ThrowIfCancellationRequested();
            bool early = step < ExaggeratedSteps;
            double[] gradient = Gradient(affinities, positions, early ? Exaggeration : 1);
            for (int v = 0; v < positions.Length; v++)
            {
                // A gain grows while gradient and movement agree and shrinks when they do not (Jacobs, Neural Networks 1, 1988).
                gains[v] = gradient[v] * move[v] < 0 ? gains[v] + 0.2 : Math.Max(MinGain, gains[v] * 0.8);
                move[v] = ((early ? 0.5 : 0.8) * move[v]) - (rate * gains[v] * gradient[v]);
                positions[v] += move[v];
            }
        }

        return tensor(positions, [count, 2]).MoveToOuterDisposeScope();
    }

    /// <summary>p_ij of the paper, [N, N]: similarities of rows, symmetric, 0 on the diagonal, with sum 1.</summary>
    public static Tensor Affinities(Tensor rows, double perplexity)
    {
        Tensor shares = Neighbours(SquaredDistances(rows), perplexity);
        return (shares + shares.t()) / (2 * rows.shape[0]);
    }

    /// <summary>
    /// p_j|i of the paper, [N, N]: the shares of each row's neighbours by a Gaussian. Bisects its precision until the entropy is log(perplexity).
    /// </summary>
    public static Tensor Neighbours(Tensor squares, double perplexity)
    {
        Tensor precision = ones(squares.shape[0], 1, ScalarType.Float64), low = zeros_like(precision), high = full_like(precision, double.PositiveInfinity);
        for (int turn = 0; turn < 100; turn++)
        {
            Tensor tooMany = special.entr(special.softmax(-precision * squares, 1)).sum(1, keepdim: true).gt(Math.Log(perplexity)); // [N, 1]
            low = where(tooMany, precision, low);
            high = where(tooMany, high, precision);
            precision = where(high.isinf(), precision * 2, (low + high) / 2);
        }

        return special.softmax(-precision * squares, 1);
    }

    /// <summary>
    /// Gradient of the Kullback-Leibler divergence of the map's affinities (a Student t-distribution with one degree of freedom) from the rows', with respect
    /// to the positions, [N, 2].
    /// </summary>
    /// <param name="affinities">[N, N].</param>
    /// <param name="positions">[N, 2].</param>
    /// <param name="exaggeration">Factor of the rows' affinities.</param>
    public static double[] Gradient(double[] affinities, double[] positions, double exaggeration)
    {
        int count = positions.Length / 2;
        double[] similarities = new double[count * count], gradient = new double[positions.Length];
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                double x = positions[2 * i] - positions[2 * j], y = positions[(2 * i) + 1] - positions[(2 * j) + 1];
                double similarity = 1 / (1 + (x * x) + (y * y));
                similarities[(i * count) + j] = similarity;
                sum += 2 * similarity;
            }
        }

        for (int i = 0; i < count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                double similarity = similarities[(i * count) + j];
                double pull = 4 * ((exaggeration * affinities[(i * count) + j]) - (similarity / sum)) * similarity;
                for (int v = 0; v < 2; v++)
                {
                    double part = pull * (positions[(2 * i) + v] - positions[(2 * j) + v]);
                    gradient[(2 * i) + v] += part;
                    gradient[(2 * j) + v] -= part;
                }
            }
        }

        return gradient;
    }

    /// <summary>Squared Euclidean distances of rows, [N, N], with infinity on the diagonal.</summary>
    public static Tensor SquaredDistances(Tensor rows)
    {
        Tensor squares = (rows.unsqueeze(1) - rows).square().sum(2);
        squares.diagonal().fill_(double.PositiveInfinity);
        return squares;
    }
}
