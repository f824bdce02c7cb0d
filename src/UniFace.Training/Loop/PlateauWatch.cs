namespace UniFace.Training.Loop;

/// <summary>Warns after an epoch if the loss has stopped falling, and says which of margin, scale and learning rate to change.</summary>
internal static class PlateauWatch
{
    private const double Falls = 0.998;
    private const double Rises = 1.1;
    private const double Separation = 0.02;

    /// <summary>A warning, or null.</summary>
    /// <param name="losses">Mean losses of the completed epochs.</param>
    /// <param name="epoch">Statistics of the last epoch.</param>
    /// <param name="rateLeft">Learning rate as a share of its maximum. When the schedule has decayed it, a constant loss is no problem.</param>
    /// <param name="options">The options of the run.</param>
    public static string? Warning(IReadOnlyList<double> losses, RunningStatistics epoch, double rateLeft, TrainOptions options)
    {
        // During warm-up, and in the epoch after it, the loss rises with every margin.
        int settled = (int)Math.Ceiling(options.Warmup) + 1;
        if (losses.Count <= settled || rateLeft < 0.1 || losses[^1] < Falls * losses[^2])
        {
            return null;
        }

        string fact = FormattableString.Invariant($"the loss has not fallen in epoch {losses.Count} ({losses[^2]:F3} to {losses[^1]:F3})");
        string[] hard = [.. options.Loss.HyperparametersToLower];
        string rate = FormattableString.Invariant($"learning rate (now {options.LearningRate})");
        if (losses[^1] > Rises * losses[^2])
        {
            return $"{fact}, it rises: lower the {rate}, or lengthen the warm-up.";
        }

        return epoch.TargetCosine - epoch.HardestNegativeCosine < Separation
            ? $"{fact}, and images are no closer to their own class than to others: start with a lower {string.Join(" or ", [.. hard, rate])}."
            : $"{fact}: lower the {rate}; if that does not help, {(hard.Length > 0 ? $"lower the {string.Join(" or ", hard)} or " : "")}look for label noise " +
                "with 'uniface data info'.";
    }
}
