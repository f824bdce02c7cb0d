using UniFace.IO;

namespace UniFace.Studio.Runs;

/// <summary>
/// The runs of a folder. Only what training has written since the last request is read. Names from requests are compared with existing ones, never used as
/// paths.
/// </summary>
internal sealed class RunCatalog(string root, RunWorker worker)
{
    private const int MaxRuns = 500;
    private const long MaxKeptBytes = 64 << 20; // of metrics rows in memory
    private readonly ConcurrentDictionary<string, RunFiles> known = new(StringComparer.Ordinal);

    /// <summary>The folder that is searched.</summary>
    public string Root => root;

    /// <summary>Folders of the runs: the folder itself if it is a run, otherwise its subfolders.</summary>
    public IReadOnlyList<string> Folders()
    {
        string[] folders = !Directory.Exists(root) ? []
            : RunFolder.Exists(root) ? [Path.GetFullPath(root)]
            : [.. Directory.EnumerateDirectories(root).Where(RunFolder.Exists).Take(MaxRuns).Order(StringComparer.Ordinal)];
        foreach (string deleted in known.Keys.Except(folders))
        {
            known.TryRemove(deleted, out _);
        }

        return folders;
    }

    /// <summary>Finds a run's folder by its name; null if there is none.</summary>
    public string? Find(string name) => Folders().FirstOrDefault(folder => RealPath.GetName(folder) == name);

    /// <summary>State of the run in a folder.</summary>
    public RunSummary Summarize(string folder)
    {
        string name = RealPath.GetName(folder);
        RunFiles files = GetFiles(folder);
        RunInfo info;
        try
        {
            info = files.Info();
        }
        catch (UniFaceException e)
        {
            return new RunSummary(name, RunState.Damaged, e.Message);
        }

        string? failure = worker.FindFailure(folder);
        RunDigest digest = files.Metrics.Digest();
        IReadOnlyList<RunNote> notes = files.Notes();
        int epoch = (int)(Number(digest.LastEpoch, "epoch") ?? 0);
        RunNote? note = notes.LastOrDefault(n => n.Kind != RunEvent.Started);
        bool hasStarted = notes.Count == 0 ? digest.Written is not null : notes[^1].Kind is RunEvent.Started or RunEvent.Warning;
        RunState state = worker.IsTraining(folder) ? RunState.Running
            : RunLock.IsHeld(folder) ? RunState.RunningElsewhere
            : epoch >= info.Options.Epochs ? RunState.Finished
            : failure is not null || note?.Kind == RunEvent.Failed && !hasStarted ? RunState.Failed
            : RunState.Stopped;
        string? message = (state == RunState.Failed ? failure : null)
            ?? (note?.Kind is RunEvent.Failed or RunEvent.Warning && state != RunState.Finished ? note.Message : null);
        return new RunSummary(
            name,
            state,
            message,
            Loss: info.Options.Loss.ToString(),
            Backbone: info.Options.Backbone.ToString(),
            Data: Path.GetFileName(info.Options.Data),
            People: info.People,
            Images: info.Images,
            HeldOut: info.HeldOut.Count,
            Started: info.Started,
            Updated: digest.Written ?? info.Started,
            Epoch: epoch,
            Epochs: info.Options.Epochs,
            Step: (long)(Number(digest.Last, "step") ?? 0),
            Steps: (long)info.StepsPerEpoch * info.Options.Epochs,
            LastLoss: Number(digest.Last, "loss"),
            TarAtFar: Number(digest.LastValidation?.GetProperty("validation"), "tarAtFar"));
    }

    /// <summary>Reads a run in detail: its metrics rows, all or those after a cursor, and its notes.</summary>
    public RunAnswer Read(string folder, string? after)
    {
        RunSummary summary = Summarize(folder);
        RunFiles files = GetFiles(folder);
        (IReadOnlyList<JsonElement> rows, string cursor, bool whole) = files.Metrics.Read(after);
        files.LastRead = DateTime.UtcNow;
        foreach (RunFiles oldest in known.Values.Where(f => f != files && f.Metrics.KeptBytes > 0).OrderBy(f => f.LastRead).ToArray())
        {
            if (known.Values.Sum(f => f.Metrics.KeptBytes) > MaxKeptBytes)
            {
                oldest.Metrics.Forget();
            }
        }

        return new RunAnswer(summary, rows, whole, cursor, files.Notes());
    }

    private RunFiles GetFiles(string folder) => known.GetOrAdd(folder, f => new RunFiles(f));

    private static double? Number(JsonElement? row, string name) =>
        row is JsonElement { ValueKind: JsonValueKind.Object } element && element.TryGetProperty(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) ? number : null;
}
