using CsCheck;
using TorchSharp;
using UniFace.Studio.Maps;

namespace UniFace.Studio.Tests;

/// <summary>Maps of embeddings follow the definitions of their papers.</summary>
public sealed class TSneTests
{
    private static readonly Gen<(int Count, double[] Rows)> Rows =
        Gen.Select(Gen.Int[6, 25], Gen.Int[2, 5]).SelectMany((count, width) => Gen.Double[-3, 3].Array[count * width].Select(rows => (count, rows)));

    [Fact]
    public void Affinities_are_symmetric_with_sum_1_and_a_zero_diagonal() => Rows.Sample(
        one =>
        {
            double[] affinities = Values(TSne.Affinities(Table(one.Rows, one.Count), 4));
            Assert.Equal(1, affinities.Sum(), 1e-12);
            for (int i = 0; i < one.Count; i++)
            {
                Assert.Equal(0, affinities[i * (one.Count + 1)]);
                Assert.All(Enumerable.Range(0, one.Count), j => Assert.Equal(affinities[(i * one.Count) + j], affinities[(j * one.Count) + i], 1e-15));
            }
        },
        iter: 50);

    [Fact]
    public void The_neighbors_of_every_row_have_the_perplexity_asked_for() => Gen.Select(Gen.Double[0.01, 100].Array[5, 30], Gen.Double[1.5, 4]).Sample(
        (squares, perplexity) =>
        {
            squares[0] = double.PositiveInfinity;
            double[] shares = Values(TSne.Neighbors(Table(squares, 1), perplexity));
            Assert.Equal(1, shares.Sum(), 1e-12);
            double[] nearest = [.. squares.Order().Take(2)];
            if (nearest[1] - nearest[0] > 1e-3 && perplexity < squares.Length - 1)
            {
                Assert.Equal(perplexity, Math.Exp(-shares.Where(s => s > 0).Sum(s => s * Math.Log(s))), 1e-6);
                Assert.Equal(squares.Index().MinBy(s => s.Item).Index, shares.Index().MaxBy(s => s.Item).Index); // the nearest has the largest share
            }
        },
        iter: 200);

    [Fact]
    public void The_gradient_is_that_of_the_divergence() => Rows.Sample(
        one =>
        {
            double[] p = Values(TSne.Affinities(Table(one.Rows, one.Count), 3));
            Random random = new(one.Count);
            double[] places = [.. Enumerable.Range(0, one.Count * 2).Select(_ => random.NextDouble() - 0.5)];
            double[] gradient = TSne.Gradient(p, places, 1);
            foreach (int v in new[] { 0, places.Length / 2, places.Length - 1 })
            {
                double At(double by) => Divergence(p, [.. places.Select((place, i) => i == v ? place + by : place)]);
                Assert.Equal((At(1e-5) - At(-1e-5)) / 2e-5, gradient[v], 1e-7);
            }
        },
        iter: 30);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Clusters_stay_separate_and_neighbors_stay_neighbors(int seed)
    {
        // Five arcs of twelve points, far from each other in six dimensions.
        const int Clusters = 5, Each = 12, Width = 6;
        Random random = new(seed);
        double[] rows = [.. Enumerable.Range(0, Clusters * Each).SelectMany(i =>
        {
            double along = i % Each / (Each - 1.0);
            return Enumerable.Range(0, Width).Select(
                d => (d == i / Each ? 10 : 0) + (d == Width - 1 ? 2 * along : 0) + (d == (i / Each + 1) % Clusters ? Math.Sin(2 * along) : 0)
                    + (0.01 * random.NextDouble()));
        })];
        double[] places = Values(TSne.Place(Table(rows, Clusters * Each), 6, TestContext.Current.CancellationToken));
        double[] apart = [.. Enumerable.Range(0, Clusters * Each).Select(i => Others(i).Where(j => j / Each != i / Each).Min(j => Distance(i, j)))];
        Assert.All(
            Enumerable.Range(0, Clusters * Each),
            i => Assert.True(Others(i).Where(j => j / Each == i / Each).Min(j => Distance(i, j)) < 0.5 * apart[i], $"point {i}"));
        int[] inner = [.. Enumerable.Range(0, Clusters * Each).Where(i => i % Each is > 0 and < Each - 1)];
        int kept = inner.Count(i => Others(i).OrderBy(j => Distance(i, j)).Take(4).ToHashSet().IsSupersetOf([i - 1, i + 1]));
        Assert.True(kept >= 0.9 * inner.Length, $"{kept} of {inner.Length} points have both neighbors of their arc among their four nearest");

        IEnumerable<int> Others(int i) => Enumerable.Range(0, Clusters * Each).Where(j => j != i);
        double Distance(int i, int j) => Math.Sqrt(Math.Pow(places[2 * i] - places[2 * j], 2) + Math.Pow(places[(2 * i) + 1] - places[(2 * j) + 1], 2));
    }

    [Fact]
    public void The_same_rows_give_the_same_map_and_equal_rows_give_a_map_too()
    {
        Random random = new(3);
        double[] rows = [.. Enumerable.Range(0, 40 * 5).Select(_ => random.NextDouble())];
        Assert.Equal(Place(rows, 40, 10), Place(rows, 40, 10));
        Assert.All(Place(new double[40 * 5], 40, 10), v => Assert.True(double.IsFinite(v)));
        Assert.All(Place([0, 1, 2, 4], 4, 1), v => Assert.True(double.IsFinite(v)));

        static double[] Place(double[] rows, int count, double perplexity) => Values(TSne.Place(Table(rows, count), perplexity, CancellationToken.None));
    }

    [Fact]
    public void A_map_is_canceled_when_nobody_waits_for_it() =>
        Assert.ThrowsAny<OperationCanceledException>(() => TSne.Place(Table(new double[8], 4), 1, new CancellationToken(canceled: true)));

    [Fact]
    public void Trustworthiness_counts_false_neighbors_on_the_map()
    {
        double[] rows = [0, 1, 2.1, 3.3, 4.6, 6];
        Assert.Equal(1, Trustworthiness.Measure(Table(rows, 6), Table([.. rows.SelectMany(r => new[] { 5 * r, 0 })], 6), 2));

        // On the map, the first and the last change places. What is too far among a point's two nearest there, by its ranks among the rows:
        // first 2 + 1, second 3 (the last), third and fourth nothing, fifth 3 (the first), last 2 + 1.
        double[] places = [6, 0, 1, 0, 2.1, 0, 3.3, 0, 4.6, 0, 0, 0];
        Assert.Equal(1 - (2.0 / (6 * 2 * (12 - 6 - 1)) * 12), Trustworthiness.Measure(Table(rows, 6), Table(places, 6), 2), 1e-12);
    }

    [Fact]
    public void Principal_components_are_the_directions_of_most_variance()
    {
        // Unit vectors around the first axis: spread along the second, less along the third, none elsewhere.
        double[] a = [0.3, -0.3, 0.3, -0.3], b = [0.1, 0.1, -0.1, -0.1];
        float[] rows = [.. Enumerable.Range(0, 4).SelectMany(i => new[] { (float)Math.Sqrt(1 - (a[i] * a[i]) - (b[i] * b[i])), (float)a[i], (float)b[i], 0f })];
        (torch.Tensor projected, double share) = PrincipalComponents.Project(torch.tensor(rows, [4, 4]));
        double[] along = Values(projected); // [4, 4]
        Assert.Equal(1, share, 1e-6);
        Assert.All(Enumerable.Range(0, 4), i => Assert.Equal((0.3, 0.1), (Math.Round(Math.Abs(along[4 * i]), 6), Math.Round(Math.Abs(along[(4 * i) + 1]), 6))));
        Assert.Equal(along[0], -along[4], 1e-6);
        Assert.Equal(along[1], along[5], 1e-6);
    }

    // The Kullback-Leibler divergence of the paper, by its definition.
    private static double Divergence(double[] p, double[] places)
    {
        int count = places.Length / 2;
        double[] near = [.. Enumerable.Range(0, count * count).Select(
            v => v / count == v % count
                ? 0
                : 1 / (1 + Square(places[v / count * 2] - places[v % count * 2]) + Square(places[(v / count * 2) + 1] - places[(v % count * 2) + 1])))];
        double sum = near.Sum();
        return Enumerable.Range(0, count * count).Where(v => p[v] > 0).Sum(v => p[v] * Math.Log(p[v] / (near[v] / sum)));

        static double Square(double x) => x * x;
    }

    private static torch.Tensor Table(double[] values, int rows) => torch.tensor(values, [rows, values.Length / rows]);

    private static double[] Values(torch.Tensor tensor) => tensor.contiguous().data<double>().ToArray();
}
