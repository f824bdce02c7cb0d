using UniFace.Packages;

namespace UniFace.Gallery.Tests;

/// <summary>A look-alike is a candidate of another name at the strictest threshold that the calibration supports.</summary>
public sealed class LookAlikeRuleTests
{
    [Fact]
    public void The_strictest_supported_rate_gives_the_threshold()
    {
        LookAlikeRule rule = LookAlikeRule.Create(Calibrated(
            Entry(1e-2, 0.3), Entry(1e-3, 0.5), Entry(1e-4, 0.6) with { Supported = false }, Entry(1e-5, null) with { Supported = false }))!;
        Assert.Equal(new LookAlikeRule(0.5, 1e-3), rule);
        GalleryCandidate[] found = [new("Ann", 0.9), new("Bob", 0.5), new("Cem", 0.49)];
        Assert.Equal([found[1]], rule.Filter("Ann", found));
        Assert.Equal(found[..2], rule.Filter("Dan", found));
    }

    [Fact]
    public void Create_returns_null_without_a_supported_rate()
    {
        Assert.Null(LookAlikeRule.Create(null));
        Assert.Null(LookAlikeRule.Create(Calibrated(Entry(1e-2, null) with { Supported = false })));
    }

    private static CalibrationEntry Entry(double rate, double? threshold) => new() { FalseMatchRate = rate, Supported = true, Threshold = threshold };

    private static Calibration Calibrated(params CalibrationEntry[] entries) => new()
    {
        FlipSum = false,
        Data = new() { Name = "invented", Sha256 = "", People = 0, Images = 0, SamePairs = 0, DifferentPairs = 1000 },
        Created = default,
        Entries = entries,
        Curve = [],
    };
}
