using UniFace.Clustering;
using UniFace.Packages;

namespace UniFace.Tests.Clustering;

public sealed class ClusteringRateTests
{
    [Theory]
    [InlineData(1, 1e-3)]
    [InlineData(500, 1e-3)]
    [InlineData(1001, 5e-4)]
    [InlineData(5001, 1e-4)]
    [InlineData(50_001, 1e-5)]
    public void A_face_meets_half_a_stranger_among_the_others_at_most(int faces, double rate)
    {
        Calibration calibration = Of(100_000_000, 1e-6);
        Assert.Equal(rate, ClusteringRate.For(faces, calibration), rate * 1e-9);
        Assert.InRange((faces - 1) * ClusteringRate.For(faces, calibration), 0, 0.5 + 1e-9);
    }

    [Theory]
    [InlineData(3_000_000, 1e-7, 1e-6)] // the rule of three
    [InlineData(100_000_000, 1e-5, 1e-5)] // the smallest rate that has a threshold
    [InlineData(1000, 0.02, 0.02)]
    public void The_rate_is_one_that_the_calibration_can_state(long pairs, double measured, double rate)
    {
        Calibration calibration = Of(pairs, measured);
        Assert.Equal(rate, ClusteringRate.For(10_000_000, calibration), rate * 1e-9);
        Assert.Equal(0.7, calibration.ThresholdAt(ClusteringRate.For(10_000_000, calibration)));
        Assert.Throws<UniFaceException>(() => ClusteringRate.For(10, calibration with { Entries = [], Curve = [] }));
    }

    private static Calibration Of(long pairs, double measured) => new()
    {
        FlipSum = false,
        Data = new CalibrationData { Name = "invented", Sha256 = new string('0', 64), SamePairs = 1000, DifferentPairs = pairs },
        Created = DateTimeOffset.UnixEpoch,
        Entries = [new CalibrationEntry { FalseMatchRate = 0.05, Supported = true, Threshold = 0.5, MeasuredFalseMatchRate = 0.05 }],
        Curve = [new CalibrationPoint(0.7, measured, 0.9)],
    };
}
