using UniFace.Training.Loop;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Loop;

/// <summary>A loss that has stopped falling is reported with what to change.</summary>
public class PlateauDetectorTests
{
    [Fact]
    public void Plateau_warning_names_hyperparameters_to_lower()
    {
        RunningStatistics apart = new() { Images = 1, TargetSum = 0.5, HardestNegativeSum = 0.3 };
        RunningStatistics together = new() { Images = 1, TargetSum = 0.1, HardestNegativeSum = 0.3 };
        TrainOptions options = Toy.Options with { Warmup = 1.5 };
        string? Warning(RunningStatistics epoch, double rateShare, params double[] losses) => PlateauDetector.Warning(losses, epoch, rateShare, options);
        Assert.Null(Warning(apart, 1, 12, 11, 10, 9));
        Assert.Null(Warning(apart, 1, 10, 11, 12));
        Assert.Null(Warning(apart, 0.01, 12, 11, 10, 10));
        Assert.Contains("rose", Warning(apart, 1, 12, 11, 10, 12)!, StringComparison.Ordinal);
        Assert.Contains("margin (now 0.4)", Warning(together, 1, 12, 11, 10, 10)!, StringComparison.Ordinal);
        Assert.Contains("learning rate (now 0.05)", Warning(apart, 1, 12, 11, 10, 10)!, StringComparison.Ordinal);
    }
}
