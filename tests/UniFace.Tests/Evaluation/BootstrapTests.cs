using UniFace.Evaluation.Verification;
using UniFace.Statistics;

namespace UniFace.Tests.Evaluation;

/// <summary>An interval contains the true value about as often as its level says.</summary>
public class BootstrapTests
{
    [Fact]
    public void Intervals_contain_the_true_value_about_as_often_as_their_level()
    {
        // Same pairs N(1, 1), different pairs N(0, 1): AUC = Phi(1 / sqrt 2), TAR at FAR 0.1 = 1 - Phi(1.2816 - 1), EER = Phi(-0.5).
        const double auc = 0.7602499389065233;
        const double tar = 0.3891435;
        const double eer = 0.3085375387;
        const int trials = 120;
        int covered = 0, coveredTar = 0, coveredEer = 0;
        for (int trial = 0; trial < trials; trial++)
        {
            VerificationScores scores = Normal(new Random(1000 + trial), 300, 300, 1);
            BootstrapIntervals intervals = Bootstrap.Run(
                scores, [RocCurve.FromScores(scores).At(0.1)], new BootstrapOptions { Replicates = 300, Seed = trial });
            covered += Within(auc, intervals.Auc);
            coveredTar += Within(tar, intervals.Points[0].TrueMatchRateInterval!.Value);
            coveredEer += Within(eer, intervals.EqualErrorRate);
        }

        // 95 % of 120 is 114, with a deviation of 2.4; wider below, as percentile intervals of 300 pairs are a little short.
        Assert.InRange(covered, 103, 120);
        Assert.InRange(coveredTar, 101, 120);
        Assert.InRange(coveredEer, 101, 120);
    }

    [Fact]
    public void Dense_comparisons_are_resampled_by_people()
    {
        // Each person has an own shift that all of its pairs feel: pairs are far from independent.
        const int trials = 80;
        int people = 0, pairs = 0;
        for (int trial = 0; trial < trials; trial++)
        {
            VerificationScores scores = Crossed(new Random(trial), 24);
            Assert.Equal(BootstrapUnit.Person, Bootstrap.Run(scores, [], new BootstrapOptions { Replicates = 2 }).Unit);
            people += Within(
                0.9213503964748575,
                Bootstrap.Run(scores, [], new BootstrapOptions { Replicates = 200, Unit = BootstrapUnit.Person }).Auc); // Phi(2 / sqrt 2)
            pairs += Within(0.9213503964748575, Bootstrap.Run(scores, [], new BootstrapOptions { Replicates = 200, Unit = BootstrapUnit.Pair }).Auc);
        }

        Assert.InRange(people, 66, 80);
        Assert.True(pairs < people - 5, $"by pairs {pairs}, by people {people} of {trials}");
    }

    [Fact]
    public void The_same_seed_gives_the_same_intervals_and_another_seed_others()
    {
        VerificationScores scores = Normal(new Random(2), 60, 90, 1);
        OperatingPoint[] points = [RocCurve.FromScores(scores).At(0.1)];
        BootstrapIntervals a = Bootstrap.Run(scores, points, new BootstrapOptions { Replicates = 100, Seed = 4 });
        BootstrapIntervals b = Bootstrap.Run(scores, points, new BootstrapOptions { Replicates = 100, Seed = 4 });
        BootstrapIntervals c = Bootstrap.Run(scores, points, new BootstrapOptions { Replicates = 100, Seed = 5 });
        Assert.Equal(a.Auc, b.Auc);
        Assert.Equal(a.Points[0], b.Points[0]);
        Assert.NotEqual(a.Auc, c.Auc);
    }

    [Fact]
    public void A_sparse_list_of_pairs_is_resampled_by_pairs()
    {
        VerificationScores scores = new([0.9, 0.8, 0.1, 0.2], [true, true, false, false], null, null, [0, 1, 0, 2], [0, 1, 1, 3]);
        Assert.Equal(BootstrapUnit.Pair, Bootstrap.Run(scores, [], new BootstrapOptions { Replicates = 10 }).Unit);
    }

    [Fact]
    public void A_TAR_of_1_gets_the_Clopper_Pearson_interval()
    {
        VerificationScores scores = new([0.9, 0.8, 0.7, 0.95, 0.1, 0.2], [true, true, true, true, false, false]);
        OperatingPoint point = Bootstrap.Run(scores, [RocCurve.FromScores(scores).At(0.5)], new BootstrapOptions { Replicates = 50 }).Points[0];
        Assert.Equal(1, point.TrueMatchRate);
        Assert.Equal(BinomialInterval.ClopperPearson(4, 4), point.TrueMatchRateInterval);
    }

    [Fact]
    public void Unsupported_points_stay_without_an_interval()
    {
        VerificationScores scores = Normal(new Random(2), 60, 90, 1);
        VerificationReport report = VerificationReport.Create(scores, bootstrap: new BootstrapOptions { Replicates = 20 });
        Assert.Equal([1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6], report.OperatingPoints.Select(p => p.TargetFalseMatchRate));
        Assert.NotNull(report.OperatingPoints[0].TrueMatchRateInterval);
        Assert.All(report.OperatingPoints.Skip(1), p => Assert.Null(p.TrueMatchRateInterval));
        Assert.All(report.OperatingPoints.Skip(1), p => Assert.Contains("90 pairs", p.Why, StringComparison.Ordinal));
    }

    [Fact]
    public void A_bootstrap_over_unknown_people_is_refused() =>
        Assert.Throws<UniFaceException>(() => Bootstrap.Run(Normal(new Random(1), 5, 5, 1), [], new BootstrapOptions { Unit = BootstrapUnit.Person }));

    private static int Within(double truth, ConfidenceInterval interval) => truth >= interval.Low && truth <= interval.High ? 1 : 0;

    internal static VerificationScores Normal(Random random, int same, int different, double shift) => new(
        [.. Enumerable.Range(0, same + different).Select(i => Gauss.Next(random) + (i < same ? shift : 0))],
        [.. Enumerable.Range(0, same + different).Select(i => i < same)]);

    // Same pairs: a person's own shift, N(2, 1) in all. Different pairs: both people's shifts, N(0, 1) in all. So AUC = Phi(2 / sqrt 2).
    private static VerificationScores Crossed(Random random, int people)
    {
        double[] own = [.. Enumerable.Range(0, people).Select(_ => Gauss.Next(random))];
        double[] shift = [.. Enumerable.Range(0, people).Select(_ => Gauss.Next(random))];
        List<(double Score, bool Same, int A, int B)> pairs = [];
        for (int a = 0; a < people; a++)
        {
            for (int copy = 0; copy < 5; copy++)
            {
                pairs.Add((2 + Math.Sqrt(0.8) * own[a] + Math.Sqrt(0.2) * Gauss.Next(random), true, a, a));
            }

            for (int b = a + 1; b < people; b++)
            {
                pairs.Add((Math.Sqrt(0.4) * (shift[a] + shift[b]) + Math.Sqrt(0.2) * Gauss.Next(random), false, a, b));
            }
        }

        return new VerificationScores(
            [.. pairs.Select(p => p.Score)],
            [.. pairs.Select(p => p.Same)],
            null,
            null,
            [.. pairs.Select(p => p.A)],
            [.. pairs.Select(p => p.B)]);
    }
}
