using CsCheck;
using UniFace.Decisions;
using UniFace.Packages;

namespace UniFace.Tests.Decisions;

/// <summary>
/// One rule chooses every threshold: what was asked for is kept or refused with numbers, and a default that is not supported is replaced and named.
/// </summary>
public sealed class DecisionRuleTests
{
    private static readonly Calibration Large = Calibrated(100_000_000, 1e-6);

    [Fact]
    public void A_threshold_is_used_as_it_is_with_and_without_a_calibration()
    {
        DecisionRule rule = new() { Threshold = 0.6 };
        Assert.Equal(new Decision(0.6, null), rule.ForVerification(null));
        Assert.Equal(new Decision(0.6, null), rule.ForIdentification(null, 1000));
        Decision known = rule.ForIdentification(Large, 1000);
        Assert.Equal((0.6, Large.FalseMatchRateAt(0.6)), (known.Threshold, known.FalseMatchRate!.Value));
        Assert.Equal(1 - Math.Pow(1 - Large.FalseMatchRateAt(0.6), 1000), known.FalsePositiveIdentificationRate!.Value, 12);
        Assert.True(known.IsMatch(0.6) && !known.IsMatch(0.5999));
        foreach (double wrong in new[] { -1.1, 1.1, double.NaN })
        {
            Assert.Contains("-1 to 1", Message(() => new DecisionRule { Threshold = wrong }.ForVerification(Large)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Two_choices_or_one_out_of_range_are_refused()
    {
        DecisionRule[] several =
        [
            new() { Threshold = 0.5, FalseMatchRate = 0.01 },
            new() { Threshold = 0.5, FalsePositiveIdentificationRate = 0.01 },
            new() { FalseMatchRate = 0.01, FalsePositiveIdentificationRate = 0.01 },
        ];
        Assert.All(several, rule => Assert.Contains("give one of them", Message(() => rule.ForIdentification(Large, 10)), StringComparison.Ordinal));
        Assert.Contains(
            "identification only",
            Message(() => new DecisionRule { FalsePositiveIdentificationRate = 0.1 }.ForVerification(Large)),
            StringComparison.Ordinal);
        foreach (double wrong in new[] { 0, 1, -0.1, double.NaN })
        {
            Assert.Contains("above 0 and below 1", Message(() => new DecisionRule { FalseMatchRate = wrong }.ForVerification(Large)), StringComparison.Ordinal);
            Assert.Contains(
                "above 0 and below 1",
                Message(() => new DecisionRule { FalsePositiveIdentificationRate = wrong }.ForIdentification(Large, 10)),
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Without_a_calibration_only_a_threshold_is_accepted()
    {
        Assert.Throws<MissingCalibrationException>(() => new DecisionRule().ForVerification(null));
        Assert.Throws<MissingCalibrationException>(() => new DecisionRule { FalseMatchRate = 0.01 }.ForVerification(null));
        Assert.Throws<MissingCalibrationException>(() => new DecisionRule { FalsePositiveIdentificationRate = 0.01 }.ForIdentification(null, 10));
        Assert.Throws<MissingCalibrationException>(() => new DecisionRule().ForClustering(null, 10));
    }

    [Fact]
    public void A_chosen_rate_is_used_or_refused_with_the_smallest_supported_rate()
    {
        Calibration small = Calibrated(3000, 1e-3);
        Assert.Equal(new Decision(0.7, 1e-3), new DecisionRule { FalseMatchRate = 1e-3 }.ForVerification(small));
        string refused = Message(() => new DecisionRule { FalseMatchRate = 1e-4 }.ForVerification(small));
        Assert.Contains("supports false match rates of 0.001 and above (3000 pairs of different people), not 0.0001", refused, StringComparison.Ordinal);
        Assert.Contains("at least 30000 such pairs", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_choice_the_default_or_the_smallest_supported_rate_is_used_with_a_note()
    {
        Assert.Equal(new Decision(0.7, 1e-3), new DecisionRule().ForVerification(Large));
        Decision replaced = new DecisionRule().ForVerification(Calibrated(1000, 0.02));
        Assert.Equal((0.7, 0.02), (replaced.Threshold, replaced.FalseMatchRate!.Value));
        Assert.Contains("supports false match rates of 0.02 and above", replaced.Note, StringComparison.Ordinal);
        Assert.Contains("not the default of 0.001", replaced.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void Identification_uses_the_false_match_rate_at_which_all_comparisons_together_keep_the_FPIR() =>
        Gen.Select(Gen.Double[1e-4, 0.5], Gen.Int[1, 100_000]).Sample((target, enrolled) =>
        {
            double needed = 1 - Math.Pow(1 - target, 1.0 / enrolled);
            DecisionRule rule = new() { FalsePositiveIdentificationRate = target };
            if (needed < 1e-6)
            {
                Assert.Throws<UniFaceException>(() => rule.ForIdentification(Large, enrolled));
                return;
            }

            Decision decision = rule.ForIdentification(Large, enrolled);
            Assert.Equal(needed, decision.FalseMatchRate!.Value, needed * 1e-9);
            Assert.Equal(target, decision.FalsePositiveIdentificationRate!.Value, target * 1e-6);
            Assert.Equal(Large.ThresholdAt(needed), decision.Threshold);
            Assert.Null(decision.Note);
        });

    [Fact]
    public void An_unsupported_FPIR_is_refused_if_chosen_and_replaced_if_it_is_the_default()
    {
        Calibration small = Calibrated(3000, 1e-3);
        string refused = Message(() => new DecisionRule { FalsePositiveIdentificationRate = 0.01 }.ForIdentification(small, 1000));
        Assert.Contains("0.01 with 1000 enrolled faces needs a false match rate of 1.01E-05", refused, StringComparison.Ordinal);
        Assert.Contains("supports false match rates of 0.001 and above", refused, StringComparison.Ordinal);
        Assert.Contains("of about 0.632", refused, StringComparison.Ordinal);
        Decision replaced = new DecisionRule().ForIdentification(small, 1000);
        Assert.Equal((0.7, 1e-3), (replaced.Threshold, replaced.FalseMatchRate!.Value));
        Assert.Equal(0.632, replaced.FalsePositiveIdentificationRate!.Value, 3);
        Assert.Contains("of about 0.632; the smallest supported rate was used", replaced.Note, StringComparison.Ordinal);

        // A rate of each comparison that was asked for stays, however large the gallery is; a small gallery is no stricter than a verification.
        Assert.Equal(1e-3, new DecisionRule { FalseMatchRate = 1e-3 }.ForIdentification(small, 1_000_000).FalseMatchRate);
        Assert.Equal(1e-3, new DecisionRule().ForIdentification(Large, 0).FalseMatchRate);
        Assert.Equal(1 - Math.Pow(0.99, 1.0 / 500), new DecisionRule().ForIdentification(Large, 500).FalseMatchRate!.Value, 12);
    }

    [Theory]
    [InlineData(1, 1e-3)]
    [InlineData(500, 1e-3)]
    [InlineData(1001, 5e-4)]
    [InlineData(5001, 1e-4)]
    [InlineData(50_001, 1e-5)]
    public void The_default_clustering_rate_allows_half_a_false_match_per_face(int faces, double rate)
    {
        Assert.Equal(rate, new DecisionRule().ForClustering(Large, faces).FalseMatchRate!.Value, rate * 1e-9);
        Assert.InRange((faces - 1) * rate, 0, 0.5 + 1e-9);
    }

    [Theory]
    [InlineData(3_000_000, 1e-7, 1e-6)] // the rule of three
    [InlineData(100_000_000, 1e-5, 1e-5)] // the smallest rate that has a threshold
    [InlineData(1000, 0.02, 0.02)]
    public void A_default_rate_always_has_a_threshold(long pairs, double measured, double rate)
    {
        Calibration calibration = Calibrated(pairs, measured);
        Decision decision = new DecisionRule().ForClustering(calibration, 10_000_000);
        Assert.Equal((0.7, rate), (decision.Threshold, decision.FalseMatchRate!.Value));
        Assert.Throws<UniFaceException>(() => new DecisionRule().ForClustering(calibration with { Entries = [], Curve = [] }, 10));
    }

    private static string Message(Action decide) => Assert.Throws<UniFaceException>(decide).Message;

    // A threshold of 0.7 at the given rate, of 0.5 at 0.05.
    private static Calibration Calibrated(long pairs, double measured) => new()
    {
        FlipSum = false,
        Data = new CalibrationData { Name = "invented", Sha256 = new string('0', 64), SamePairs = 1000, DifferentPairs = pairs },
        Created = DateTimeOffset.UnixEpoch,
        Entries = [new CalibrationEntry { FalseMatchRate = 0.05, Supported = true, Threshold = 0.5, MeasuredFalseMatchRate = 0.05 }],
        Curve = [new CalibrationPoint(0.7, measured, 0.9)],
    };
}
