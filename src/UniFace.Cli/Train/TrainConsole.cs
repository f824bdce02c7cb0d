namespace UniFace.Cli.Train;

/// <summary>A run's progress on standard error: a status, and one line per epoch and warning.</summary>
internal sealed class TrainConsole : IDisposable
{
    private readonly StatusLine status = new();
    private readonly ActivityMeter activity = new();

    /// <summary>Describes the run.</summary>
    public void Started(Trainer trainer)
    {
        RunInfo info = trainer.Info;
        string from = trainer.Step > 0 ? $", resuming at step {trainer.Step}" : "";
        string changed = string.Concat(info.Changes.Select(change => $"; changed at {change}"));
        string heldOut = info.HeldOut.Count > 0 ? $" ({info.HeldOut.Count} more are held out for validation and calibration)" : "";
        Note(
            $"{info.Options.Backbone} with {info.Options.Loss} on {Plural.Format(info.Images, "image")} of {Plural.Format(info.People, "person")}{heldOut}; " +
            $"{Plural.Format(trainer.TotalSteps, "step")}{from}{changed}");
        if (info.HeldOut.Count == 0)
        {
            string why = info.Options.Validation is string other
                ? $"--val {other} has the people for validation and calibration"
                : (info.People < TrainOptions.PeopleToHoldOut
                    ? $"the data has fewer than {TrainOptions.PeopleToHoldOut} people ({info.People})"
                    : "--val-people is 0") + ", so a package of this run has no calibration, and 'uniface verify' needs --threshold. " +
                        "To change that, give --val OTHER-PEOPLE or --val-people 0.2";
            Note("no people are held out: " + why);
        }
    }

    /// <summary>The callbacks for the trainer.</summary>
    public TrainingEvents Events() => new()
    {
        Progress = progress =>
        {
            activity.Dispose();
            status.Update(() => Describe(progress));
        },
        EpochEnded = epoch => Note(Describe(epoch)),
        Warning = text => Note("warning: " + text),
        Preparing = activity.Add,
    };

    /// <summary>Prints a line.</summary>
    public void Note(string text)
    {
        status.Clear();
        Console.Error.WriteLine(text);
    }

    public void Dispose()
    {
        activity.Dispose();
        status.Clear();
    }

    private static Status Describe(TrainProgress progress)
    {
        StepMetrics m = progress.Metrics;
        return new Status(
            $"epoch {m.Epoch}/{progress.Epochs}",
            progress.TotalSteps > 0 ? (double)m.Step / progress.TotalSteps : 1,
            $"step {m.Step}/{progress.TotalSteps}",
            $"{m.ImagesPerSecond:F1} images/s, {progress.Remaining:hh\\:mm\\:ss} left, loss {m.Loss:F3}, lr {m.Lr:G3}, " +
            $"target cosine {m.TargetCosine:F3}, hardest negative {m.HardestNegativeCosine:F3}" + (m.Threshold is double t ? $", threshold {t:F3}" : ""));
    }

    private static string Describe(EpochMetrics m) =>
        $"epoch {m.Epoch}: loss {m.Loss:F4}, target cosine {m.TargetCosine:F3}, hardest negative {m.HardestNegativeCosine:F3}" +
        (m.Validation is ValidationMetrics v ? $", validation TAR {v.TarAtFar:P1} AUC {v.Auc:F4} EER {v.Eer:P1}" : "");
}
