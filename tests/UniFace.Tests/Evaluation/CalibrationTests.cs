using CsCheck;
using UniFace.Evaluation.ThresholdCalibration;
using UniFace.Evaluation.Verification;
using UniFace.Packages;

namespace UniFace.Tests.Evaluation;

/// <summary>A threshold never has a higher false match rate on its own data than it states, and a rate that the data cannot support is refused.</summary>
public class CalibrationTests
{
    private static readonly BootstrapOptions Quick = new() { Replicates = 50 };

    private static readonly ModelManifest Manifest = new() { EmbeddingSize = 128, OnnxSha256 = new string('a', 64), FlipSum = true };

    [Fact]
    public void Each_threshold_keeps_its_false_match_rate_on_its_own_data() =>
        Gen.Select(Gen.Int[0, 10_000], Gen.Int[40, 400], Gen.Double[0.5, 20]).Sample(
            (seed, different, rounding) =>
            {
                VerificationScores scores = Scores(seed, 60, different, rounding);
                Calibration calibration = Calibrator.FromScores(scores, Source(), bootstrap: Quick);
                foreach (CalibrationEntry entry in calibration.Entries.Where(e => e.Supported))
                {
                    double measured = RocCurveTests.Rate(scores, entry.Threshold!.Value, false);
                    Assert.True(measured <= entry.FalseMatchRate);
                    Assert.Equal(measured, entry.MeasuredFalseMatchRate!.Value, 12);
                    Assert.Equal(RocCurveTests.Rate(scores, entry.Threshold.Value, true), entry.TrueMatchRate!.Value, 12);
                    Assert.InRange(measured, entry.FalseMatchRateLow!.Value, entry.FalseMatchRateHigh!.Value);
                    Assert.True(entry.ThresholdLow <= entry.ThresholdHigh);
                    Assert.Equal(entry.Threshold, calibration.ThresholdAt(entry.FalseMatchRate));
                }
            },
            iter: 40);

    [Fact]
    public void Any_supported_rate_gets_a_threshold_that_keeps_it() => Gen.Select(Gen.Int[0, 10_000], Gen.Double[0.012, 0.9]).Sample(
        (seed, rate) =>
        {
            VerificationScores scores = Scores(seed, 60, 400, 1000);
            Calibration calibration = Calibrator.FromScores(scores, Source(), bootstrap: Quick);
            Assert.True(RocCurveTests.Rate(scores, calibration.ThresholdAt(rate), false) <= rate);
        },
        iter: 40);

    [Fact]
    public void A_rate_below_three_over_the_pairs_is_not_supported_and_refused()
    {
        Calibration calibration = Calibrator.FromScores(Scores(1, 100, 3000, 1000), Source(), bootstrap: Quick);
        Assert.Equal([true, true, true, false, false, false], calibration.Entries.Select(e => e.Supported));
        Assert.All(calibration.Entries.Where(e => !e.Supported), e => Assert.Null(e.Threshold));
        Assert.Contains("30000", calibration.Entries[3].Why, StringComparison.Ordinal);
        UniFaceException error = Assert.Throws<UniFaceException>(() => calibration.ThresholdAt(1e-4));
        Assert.Contains("3000 pairs", error.Message, StringComparison.Ordinal);
        Assert.Contains("30000", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Throws<UniFaceException>(() => calibration.ThresholdAt(0));
        Assert.Throws<UniFaceException>(() => calibration.ThresholdAt(double.NaN));
        Assert.Throws<UniFaceException>(() => calibration.ThresholdAt(1));
    }

    [Fact]
    public void Too_few_pairs_for_any_rate_are_refused()
    {
        UniFaceException error = Assert.Throws<UniFaceException>(() => Calibrator.FromScores(Scores(1, 10, 20, 1000), Source()));
        Assert.Contains("at least 30", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_rate_of_a_score_falls_as_the_score_rises_and_agrees_with_the_data()
    {
        VerificationScores scores = Scores(4, 200, 5000, 100_000);
        Calibration calibration = Calibrator.FromScores(scores, Source(), bootstrap: Quick);
        double before = 1;
        for (double score = -3; score <= 4; score += 0.01)
        {
            double rate = calibration.FalseMatchRateAt(score);
            Assert.InRange(rate, 3.0 / 5000, before);
            before = rate;
            double measured = RocCurveTests.Rate(scores, score, false);
            Assert.True(measured < 0.002 || Math.Abs(Math.Log(rate / measured)) < Math.Log(1.3), $"at {score}: {rate}, measured {measured}");
        }

        Assert.Equal(1, calibration.FalseMatchRateAt(-100));
        Assert.Equal(3.0 / 5000, calibration.FalseMatchRateAt(100), 12);
        Assert.Equal("about 100 of 100", calibration.DescribeRateAt(-100));
        Assert.Equal("at most 1 of 1667", calibration.DescribeRateAt(100));
    }

    [Fact]
    public void A_written_calibration_is_read_back_the_same()
    {
        string path = Path.Combine(Path.GetTempPath(), $"uniface-{Guid.NewGuid():N}.json");
        Calibration written = Calibrator.FromScores(Scores(2, 50, 500, 1000), Source(), bootstrap: Quick).For(Manifest);
        try
        {
            written.Save(path);
            Calibration read = Calibration.Load(path);
            Assert.Equal(written.ToJson(), read.ToJson());
            Assert.Equal(written.Entries, read.Entries);
            Assert.Equal(Manifest.ContractId, read.ContractId);
            Assert.Equal(written.ThresholdAt(0.01), read.ThresholdAt(0.01));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_calibration_of_another_model_is_refused()
    {
        Calibration calibration = Calibrator.FromScores(Scores(2, 50, 500, 1000), Source(), bootstrap: Quick);
        Calibration mine = calibration.For(Manifest);
        mine.EnsureFits(Manifest);
        Assert.Throws<UniFaceException>(() => mine.EnsureFits(Manifest with { OnnxSha256 = new string('b', 64) }));
        Assert.Throws<UniFaceException>(() => calibration.For(Manifest with { FlipSum = false }));
    }

    public static TheoryData<string> NoCalibrations => new(
        "", "null", "{}", "[1]",
        Json(data: "null"), Json(version: 2), Json(data: Data.Replace("\"differentPairs\":1", "\"differentPairs\":-1", StringComparison.Ordinal)),
        Json(entries: "null"), Json(entries: "{\"falseMatchRate\":2,\"supported\":false}"), Json(entries: "{\"falseMatchRate\":0.1,\"supported\":true}"),
        Json(curve: "{\"threshold\":0.1,\"falseMatchRate\":0.1,\"trueMatchRate\":1},{\"threshold\":0.2,\"falseMatchRate\":0.1,\"trueMatchRate\":1}"));

    [Theory]
    [MemberData(nameof(NoCalibrations))]
    public void A_file_that_is_not_a_calibration_is_refused_by_name(string json)
    {
        UniFaceException error = Assert.Throws<UniFaceException>(() => Calibration.Parse(json, "some/calibration.json"));
        Assert.StartsWith("some/calibration.json: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named_with_what_was_expected()
    {
        UniFaceException error = Assert.Throws<UniFaceException>(() => Calibration.Load("no-such-folder/calibration.json"));
        Assert.Equal("no-such-folder/calibration.json: no such file; expected a calibration", error.Message);
    }

    private const string Data = "{\"name\":\"x\",\"sha256\":\"y\",\"samePairs\":1,\"differentPairs\":1}";

    private static string Json(int version = 1, string data = Data, string entries = "", string curve = "") =>
        $"{{\"schemaVersion\":{version},\"flipSum\":false,\"data\":{data},\"created\":\"2026-01-01T00:00:00Z\"," +
        $"\"entries\":[{entries}],\"curve\":[{curve}]}}";

    private static CalibrationSource Source() => new(FlipSum: true, DataName: "synthetic", DataSha256: new string('0', 64), People: 10, Images: 100);

    // Rounded to 1/rounding, so that small ones have many ties.
    private static VerificationScores Scores(int seed, int same, int different, double rounding)
    {
        VerificationScores scores = BootstrapTests.Normal(new Random(seed), same, different, 2);
        return new VerificationScores([.. scores.Scores.ToArray().Select(s => Math.Round(s * rounding) / rounding)], scores.Same.ToArray());
    }
}
