using UniFace.Packages;

namespace UniFace.Tests.Packages;

/// <summary>A model card states training data and its hash, results with intervals, groups and limits, and never a result that was not measured.</summary>
public sealed class ModelCardTests
{
    private static readonly ModelManifest Manifest = new()
    {
        EmbeddingSize = 8,
        OnnxSha256 = new string('a', 64),
        Licence = "CC0-1.0",
        Training = new TrainingProvenance
        {
            Loss = "uce(margin=0.4)",
            Backbone = "net",
            DataHash = new string('d', 64),
            Seed = 7,
            People = 80,
            Images = 800,
        },
    };

    private static readonly Calibration Calibration = new()
    {
        FlipSum = false,
        Data = new CalibrationData
        {
            Name = "people held out",
            Sha256 = new string('c', 64),
            People = 20,
            Images = 200,
            SamePairs = 900,
            DifferentPairs = 3000,
        },
        Created = new DateTimeOffset(2026, 11, 30, 0, 0, 0, TimeSpan.Zero),
        Entries =
        [
            new CalibrationEntry
            {
                FalseMatchRate = 0.01, Supported = true, Threshold = 0.5, ThresholdLow = 0.45, ThresholdHigh = 0.55, MeasuredFalseMatchRate = 0.009,
                FalseMatchRateLow = 0.006, FalseMatchRateHigh = 0.013, TrueMatchRate = 0.9, TrueMatchRateLow = 0.85, TrueMatchRateHigh = 0.94,
            },
            new CalibrationEntry { FalseMatchRate = 1e-5, Supported = false },
        ],
        Curve = [],
    };

    [Fact]
    public void It_states_training_data_results_with_intervals_groups_and_limits()
    {
        string card = ModelCard.Create(Manifest, Calibration).ToMarkdown();
        string[] expected =
        [
            "## Intended use", "## Training data", "800 images of 80 people", new string('d', 64), "uce(margin=0.4)", "## Results", "people held out",
            "20 people, 200 images, 900 mated and 3000 non-mated pairs", "| 0.01 | 0.5000 [0.4500, 0.5500] | 0.009 [0.006, 0.013] | 0.9000 [0.8500, 0.9400] |",
            "| 0.00001 | not supported by the number of pairs | | |", "## Results by group", "Not measured", "## Limits", "0.001 and above", "CC0-1.0",
        ];
        Assert.All(expected, text => Assert.Contains(text, card, StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_calibration_it_states_no_result()
    {
        string card = ModelCard.Create(Manifest with { Training = null, Source = "npm some-model@1.0" }, null).ToMarkdown();
        Assert.Contains("Not measured: the package has no calibration", card, StringComparison.Ordinal);
        Assert.Contains("- npm some-model@1.0", card, StringComparison.Ordinal);
        Assert.DoesNotContain("true match rate", card, StringComparison.Ordinal);
    }

    [Fact]
    public void A_calibration_on_training_data_is_named_as_a_limit() => Assert.Contains(
        ModelCard.Create(Manifest, Calibration with { Overlap = new TrainingOverlap(3, 2) }).Limits,
        limit => limit.Contains("measured on what the model was trained on", StringComparison.Ordinal));
}
