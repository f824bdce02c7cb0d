using System.Diagnostics;
using System.Globalization;
using UniFace.Training;
using UniFace.Training.Loop;
using UniFace.Training.Runs;

namespace UniFace.Cli.Commands;

/// <summary>
/// A run's progress on standard error: one line that is redrawn on a terminal, elsewhere a line every few seconds;
/// a line for each epoch everywhere.
/// </summary>
internal sealed class TrainConsole : IDisposable
{
    private readonly bool live = !Console.IsErrorRedirected;
    private readonly Stopwatch sinceShown = Stopwatch.StartNew();
    private bool drawn;

    public void Started(Trainer trainer)
    {
        RunInfo info = trainer.Info;
        string from = trainer.Step > 0 ? FormattableString.Invariant($", going on from step {trainer.Step}") : "";
        string changed = string.Concat(info.Changes.Select(change => $"; changed at {change}"));
        string heldOut = info.HeldOut.Count > 0 ? FormattableString.Invariant($" ({info.HeldOut.Count} more are held out to validate and calibrate on)") : "";
        Note(FormattableString.Invariant(
            $"{info.Options.Backbone} with {info.Options.Loss} on {Plural.Of(info.Images, "image")} of {Plural.Of(info.People, "person")}{heldOut}; {Plural.Of(trainer.TotalSteps, "step")}{from}{changed}"));
        if (info.HeldOut.Count == 0)
        {
            string why = info.Options.Validation is string other ? $"--val {other} has the people to validate and calibrate on"
                : (info.People < TrainOptions.PeopleToHoldOut
                    ? FormattableString.Invariant($"the data has fewer than {TrainOptions.PeopleToHoldOut} people ({info.People})")
                    : "--val-people is 0") + ", so a package of this run has no calibration, and 'uniface verify' needs --threshold; --val " +
                        "OTHER-PEOPLE or --val-people 0.2 change that";
            Note("nobody is held out: " + why);
        }
    }

    public TrainingEvents Events() => new() { Progress = Show, EpochEnded = Show, Warning = text => Note("warning: " + text) };

    /// <summary>A line of its own.</summary>
    public void Note(string text)
    {
        Clear();
        Console.Error.WriteLine(text);
    }

    public void Dispose() => Clear();

    private void Show(TrainProgress progress)
    {
        if (!live && sinceShown.Elapsed < TimeSpan.FromSeconds(5))
        {
            return;
        }

        sinceShown.Restart();
        StepMetrics m = progress.Metrics;
        string threshold = m.Threshold is double t ? string.Create(CultureInfo.InvariantCulture, $", threshold {t:F3}") : "";
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"epoch {m.Epoch}/{progress.Epochs}, step {m.Step}/{progress.TotalSteps}, loss {m.Loss:F3}, lr {m.Lr:G3}, {m.ImagesPerSecond:F1} images/s, {progress.Left:hh\\:mm\\:ss} left, target cosine {m.TargetCosine:F3}, hardest negative {m.HardestNegativeCosine:F3}{threshold}");
        if (live)
        {
            Output.Terminal.Write("\r\x1b[K" + line[..Math.Min(line.Length, Math.Max(Console.WindowWidth - 1, 40))]);
            drawn = true;
        }
        else
        {
            Console.Error.WriteLine(line);
        }
    }

    private void Show(EpochMetrics m)
    {
        string validation = m.Validation is ValidationMetrics v
            ? string.Create(CultureInfo.InvariantCulture, $", validation TAR {v.TarAtFar:P1} AUC {v.Auc:F4} EER {v.Eer:P1}")
            : "";
        Note(string.Create(
            CultureInfo.InvariantCulture,
            $"epoch {m.Epoch}: loss {m.Loss:F4}, target cosine {m.TargetCosine:F3}, hardest negative {m.HardestNegativeCosine:F3}{validation}"));
    }

    private void Clear()
    {
        if (drawn)
        {
            Output.Terminal.Write("\r\x1b[K");
            drawn = false;
        }
    }
}
