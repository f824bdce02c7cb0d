namespace UniFace.Cli.Eval;

/// <summary>The overlap gate of the commands that measure: warns and shows progress on standard error.</summary>
internal static class OverlapGates
{
    /// <summary>Appended to a refusal.</summary>
    public const string Hint = " --allow-overlap measures it anyway.";

    public static OverlapGate Create(EvalModel model, bool allowed, ActivityMeter progress, CancellationToken stop) => new()
    {
        Model = model.Path,
        Trained = model.Trained,
        TrainedHash = model.TrainedHash,
        Allowed = allowed,
        Hint = Hint,
        Warning = Warn,
        Progress = progress.Add,
        Cancellation = stop,
    };

    public static void Warn(string text) => Console.Error.WriteLine("warning: " + text);
}
