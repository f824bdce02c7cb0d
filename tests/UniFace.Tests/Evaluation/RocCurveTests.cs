using CsCheck;
using UniFace.Evaluation.Verification;

namespace UniFace.Tests.Evaluation;

/// <summary>Rates, areas and errors equal scikit-learn's and their definitions, also when scores are tied.</summary>
public class RocCurveTests
{
    // Few distinct values, so that ties are common.
    private static readonly Gen<VerificationScores> Tied = Gen.Select(Gen.Int[-8, 8], Gen.Bool).Array[2, 60]
        .Where(pairs => pairs.Any(p => p.Item2) && pairs.Any(p => !p.Item2))
        .Select(pairs => new VerificationScores([.. pairs.Select(p => p.Item1 / 8.0)], [.. pairs.Select(p => p.Item2)]));

    [Theory]
    [MemberData(nameof(SklearnCase.Names), MemberType = typeof(SklearnCase))]
    public void The_curve_equals_scikit_learns(string name)
    {
        SklearnCase expected = SklearnCase.Of(name);
        RocCurve roc = RocCurve.FromScores(new VerificationScores([.. expected.Scores], expected.IsSame));
        AssertPoints(expected.Fpr, expected.Tpr, expected.Thresholds, roc);
        AssertPoints(expected.FprDropped, expected.TprDropped, expected.ThresholdsDropped, roc.DropIntermediate());
        Assert.Equal(expected.Auc, roc.Auc, 12);
        Assert.Equal(expected.Eer, roc.EqualError().Rate, 9);
    }

    [Fact]
    public void The_AUC_is_the_probability_that_a_mated_pair_scores_above_a_non_mated_pair() => Tied.Sample(scores =>
    {
        double wins = 0;
        for (int i = 0; i < scores.Count; i++)
        {
            for (int j = 0; j < scores.Count; j++)
            {
                if (scores.Same[i] && !scores.Same[j])
                {
                    wins += scores.Scores[i] > scores.Scores[j] ? 1 : scores.Scores[i] == scores.Scores[j] ? 0.5 : 0;
                }
            }
        }

        Assert.Equal(wins / ((double)scores.SamePairs * scores.DifferentPairs), RocCurve.FromScores(scores).Auc, 12);
    });

    [Fact]
    public void A_monotonic_transform_of_the_scores_changes_no_rate() => Tied.Sample(scores =>
    {
        VerificationScores bent = new([.. scores.Scores.ToArray().Select(s => Math.Exp(3 * s) - 7)], scores.Same.ToArray());
        RocCurve a = RocCurve.FromScores(scores);
        RocCurve b = RocCurve.FromScores(bent);
        Assert.Equal(a.Auc, b.Auc);
        Assert.Equal(a.EqualError().Rate, b.EqualError().Rate);
        Assert.Equal(a.Points.Select(p => (p.FalseMatchRate, p.TrueMatchRate)), b.Points.Select(p => (p.FalseMatchRate, p.TrueMatchRate)));
    });

    [Fact]
    public void Swapping_mated_and_non_mated_gives_one_minus_the_AUC() => Tied.Sample(scores =>
    {
        VerificationScores swapped = new(scores.Scores.ToArray(), [.. scores.Same.ToArray().Select(s => !s)]);
        Assert.Equal(1, RocCurve.FromScores(scores).Auc + RocCurve.FromScores(swapped).Auc, 12);
    });

    [Fact]
    public void Both_rates_rise_from_0_to_1_along_the_points() => Tied.Sample(scores =>
    {
        RocCurve roc = RocCurve.FromScores(scores);
        Assert.Equal(new RocPoint(double.PositiveInfinity, 0, 0), roc.Points[0]);
        Assert.Equal((1.0, 1.0), (roc.Points[^1].FalseMatchRate, roc.Points[^1].TrueMatchRate));
        for (int i = 1; i < roc.Points.Count; i++)
        {
            Assert.True(roc.Points[i].Threshold < roc.Points[i - 1].Threshold);
            Assert.True(roc.Points[i].FalseMatchRate >= roc.Points[i - 1].FalseMatchRate);
            Assert.True(roc.Points[i].TrueMatchRate >= roc.Points[i - 1].TrueMatchRate);
        }
    });

    [Fact]
    public void TAR_at_a_FAR_is_the_largest_over_all_thresholds_within_it() => Gen.Select(Tied, Gen.Double[0.02, 0.98]).Sample((scores, rate) =>
    {
        OperatingPoint point = RocCurve.FromScores(scores).At(rate);
        double most = rate * (1 + 1e-9); // Rates are compared with this tolerance.
        if (most * scores.DifferentPairs < 1)
        {
            Assert.Null(point.TrueMatchRate);
            Assert.Null(point.Threshold);
            Assert.NotNull(point.Why);
            return;
        }

        double best = 0;
        foreach (double threshold in scores.Scores.ToArray())
        {
            if (Rate(scores, threshold, false) <= most)
            {
                best = Math.Max(best, Rate(scores, threshold, true));
            }
        }

        Assert.Equal(best, point.TrueMatchRate!.Value, 12);
        Assert.Equal(best, Rate(scores, point.Threshold!.Value, true), 12);
        Assert.True(Rate(scores, point.Threshold.Value, false) <= most);
    });

    [Fact]
    public void TAR_rises_with_FAR() => Tied.Sample(scores =>
    {
        RocCurve roc = RocCurve.FromScores(scores);
        double before = 0;
        for (double rate = 0.05; rate < 1; rate += 0.05)
        {
            if (roc.At(rate).TrueMatchRate is double tar)
            {
                Assert.True(tar >= before);
                before = tar;
            }
        }
    });

    [Fact]
    public void Perfect_separation_has_no_error()
    {
        VerificationScores scores = new([0.9, 0.8, 0.7, 0.1, 0.2, 0.3], [true, true, true, false, false, false]);
        RocCurve roc = RocCurve.FromScores(scores);
        Assert.Equal(1, roc.Auc);
        Assert.Equal(0, roc.EqualError().Rate);
        Assert.Equal(1, roc.At(0.5).TrueMatchRate);
    }

    [Fact]
    public void Random_scores_have_an_AUC_of_one_half()
    {
        Random random = new(5);
        double[] values = [.. Enumerable.Range(0, 20_000).Select(_ => random.NextDouble())];
        VerificationScores scores = new(values, [.. values.Select((_, i) => i % 2 == 0)]);
        Assert.InRange(RocCurve.FromScores(scores).Auc, 0.48, 0.52);
        VerificationScores constant = new(new double[100], [.. Enumerable.Range(0, 100).Select(i => i < 30)]);
        Assert.Equal(0.5, RocCurve.FromScores(constant).Auc);
        Assert.Equal(0.5, RocCurve.FromScores(constant).EqualError().Rate);
        OperatingPoint point = RocCurve.FromScores(constant).At(0.1);
        Assert.Equal(0, point.TrueMatchRate);
        Assert.True(point.Threshold > 0 && double.IsFinite(point.Threshold.Value));
    }

    [Fact]
    public void A_missing_mated_pair_never_matches_and_a_non_mated_one_is_skipped()
    {
        VerificationScores scores = new(
            [0.9, 0.5, -1, 0.3, 0.9, -0.8],
            [true, true, true, false, false, false],
            missing: [false, false, true, false, true, false]);
        RocCurve roc = RocCurve.FromScores(scores);
        Assert.Equal((3, 2), (roc.SamePairs, roc.DifferentPairs));
        Assert.Equal(2 / 3.0, roc.At(0.6).TrueMatchRate!.Value, 12);
        Assert.Equal(4 / 6.0, roc.Auc, 12);
        Assert.Equal(2, scores.Missing);
    }

    [Fact]
    public void Pairs_of_one_kind_only_are_refused()
    {
        UniFaceException error = Assert.Throws<UniFaceException>(() => RocCurve.FromScores(new VerificationScores([0.1, 0.2], [true, true])));
        Assert.Contains("2 and 0", error.Message, StringComparison.Ordinal);
        Assert.Throws<UniFaceException>(() => RocCurve.FromScores(new VerificationScores([], [])));
    }

    [Fact]
    public void A_score_that_is_not_finite_is_an_error_that_names_the_pair()
    {
        UniFaceException error = Assert.Throws<UniFaceException>(() => new VerificationScores([0.1, double.NaN], [true, false]));
        Assert.Contains("pair 1", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1e-1, "1e-1")]
    [InlineData(1e-6, "1e-6")]
    [InlineData(2.5e-3, "2.5e-3")]
    public void Rates_are_formatted_as_powers_of_ten(double rate, string name) => Assert.Equal(name, OperatingPoint.FormatRate(rate));

    [Theory]
    [InlineData(1e-12, -7.034483825301131)]
    [InlineData(1e-6, -4.753424308822899)]
    [InlineData(1e-3, -3.090232306167813)]
    [InlineData(0.025, -1.9599639845400545)]
    [InlineData(0.3, -0.5244005127080409)]
    [InlineData(0.5, 0)]
    [InlineData(0.8, 0.8416212335729143)]
    [InlineData(0.999, 3.090232306167813)]
    public void The_axis_of_a_DET_plot_is_SciPys_inverse_normal(double rate, double expected) => Assert.Equal(expected, DetCurve.Probit(rate), 9);

    [Fact]
    public void FNMR_falls_as_FMR_rises_along_the_DET_curve() => Tied.Sample(scores =>
    {
        IReadOnlyList<RocPoint> det = DetCurve.FromRoc(RocCurve.FromScores(scores));
        for (int i = 0; i < det.Count; i++)
        {
            Assert.Equal(Rate(scores, det[i].Threshold, false), det[i].FalseMatchRate, 12);
            Assert.Equal(1 - Rate(scores, det[i].Threshold, true), det[i].FalseNonMatchRate, 12);
        }
    });

    internal static double Rate(VerificationScores scores, double threshold, bool same)
    {
        int matches = 0;
        int all = 0;
        for (int i = 0; i < scores.Count; i++)
        {
            if (scores.Same[i] == same)
            {
                all++;
                matches += scores.Scores[i] >= threshold ? 1 : 0;
            }
        }

        return matches / (double)all;
    }

    private static void AssertPoints(double[] fpr, double[] tpr, double?[] thresholds, RocCurve roc)
    {
        Assert.Equal(thresholds.Select(t => t ?? double.PositiveInfinity), roc.Points.Select(p => p.Threshold));
        Assert.Equal(fpr.Length, roc.Points.Count);
        for (int i = 0; i < fpr.Length; i++)
        {
            Assert.Equal(fpr[i], roc.Points[i].FalseMatchRate, 14);
            Assert.Equal(tpr[i], roc.Points[i].TrueMatchRate, 14);
        }
    }
}
