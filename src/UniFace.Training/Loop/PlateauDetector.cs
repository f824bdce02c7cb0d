namespace UniFace.Training.Loop;

/// <summary>Warns after an epoch if the loss has stopped falling, and says which of margin, scale and learning rate to change.</summary>
internal static class PlateauDetector
{
    /// <summary>A loss above this share of the previous one has stalled: at 0.2 % per epoch, 50 epochs lower it by a tenth.</summary>
    private const double StalledRatio = 0.998;

    /// <summary>A loss above this multiple of the previous one diverges: the noise of an epoch's mean is far below 10 %.</summary>
    private const double DivergingRatio = 1.1;

    /// <summary>Below this gap between own and hardest other class, the classes have not begun to separate.</summary>
    private const double MinCosineGap = 0.02;

    /// <summary>A warning, or null.</summary>
    /// <param name="losses">Mean losses of the completed epochs.</param>
    /// <param name="epoch">Statistics of the last epoch.</param>
    /// <param name="rateShare">Learning rate as a share of its maximum. When the schedule has decayed it, a constant loss is no problem.</param>
    /// <param name="options">The options of the run.</param>
    public static string? Warning(IReadOnlyList<double> losses, RunningStatistics epoch, double rateShare, TrainOptions options)
    {
        // During warm-up, and in the epoch after it, the loss rises with every margin.
        int settled = (int)Math.Ceiling(options.Warmup) + 1;
        if (losses.Count <= settled || rateShare < 0.1 || losses[^1] < StalledRatio * losses[^2])
        {
            return null;
        }

        string values = FormattableString.Invariant($"in epoch {losses.Count} ({losses[^2]:F3} to {losses[^1]:F3})");
        string[] hard = [.. options.Loss.HyperparametersToLower];
        string rate = FormattableString.Invariant($"learning rate (now {options.LearningRate})");
        if (losses[^1] > DivergingRatio * losses[^2])
        {
            return $"the loss rose {values}: lower the {rate}, or lengthen the warm-up.";
        }

        return epoch.TargetCosine - epoch.HardestNegativeCosine < MinCosineGap
            ? $"the loss has not fallen {values}, and images are no closer to their own class than to others: start with a lower " +
                $"{string.Join(" or ", [.. hard, rate])}."
            : $"the loss has not fallen {values}: lower the {rate}; if that does not help, " +
                $"{(hard.Length > 0 ? $"lower the {string.Join(" or ", hard)} or " : "")}look for label noise in the data set.";
    }
}
