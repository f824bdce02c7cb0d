using System.CommandLine;
using UniFace.Evaluation;
using UniFace.Packages;

namespace UniFace.Cli.Protocols;

/// <summary>The option --allow-overlap, and the overlap gate of the commands that measure.</summary>
internal static class OverlapOption
{
    /// <summary>Appended to a refusal.</summary>
    public const string Hint = " --allow-overlap measures it anyway.";

    public static Option<bool> Create() => new("--allow-overlap")
    {
        Description = "Measure even if images or people were trained on; the calibration, and every decision with it, then says so.",
    };

    /// <summary>A gate that warns and shows progress on standard error.</summary>
    public static OverlapGate OpenGate(
        string model, TrainingFingerprint? trained, bool allowed, ProgressLine progress, CancellationToken stop, string? trainedHash = null) => new()
    {
        Model = model,
        Trained = trained,
        TrainedHash = trainedHash,
        Allowed = allowed,
        Hint = Hint,
        Warning = text => Console.Error.WriteLine("warning: " + text),
        Progress = progress.Report,
        Cancellation = stop,
    };
}
