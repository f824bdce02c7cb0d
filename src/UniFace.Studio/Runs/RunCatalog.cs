using UniFace.IO;

namespace UniFace.Studio.Runs;

/// <summary>State of a run.</summary>
internal enum RunState
{
    /// <summary>It trains in this service.</summary>
    Running,

    /// <summary>Another process trains it.</summary>
    RunningElsewhere,

    /// <summary>It has not finished, and can be resumed.</summary>
    Stopped,

    /// <summary>It ended with an error.</summary>
    Failed,

    /// <summary>It has trained all epochs.</summary>
    Finished,

    /// <summary>Its run.json cannot be read.</summary>
    Damaged,
}

/// <summary>Summary of a run.</summary>
/// <param name="Name">Name of its folder.</param>
/// <param name="State">Its state.</param>
/// <param name="Message">What went wrong and what to change; null if nothing did.</param>
/// <param name="Loss">The loss in full; null, like all below, if run.json cannot be read.</param>
/// <param name="Backbone">The backbone.</param>
/// <param name="Data">The training set.</param>
/// <param name="People">Number of people trained on.</param>
/// <param name="Images">Number of images trained on.</param>
/// <param name="HeldOut">Number of people held out for validation.</param>
/// <param name="Started">When it was started.</param>
/// <param name="Updated">When its metrics were last written.</param>
/// <param name="Epoch">Epochs completed.</param>
/// <param name="Epochs">Epochs in total.</param>
/// <param name="Step">Steps taken.</param>
/// <param name="Steps">Steps in total.</param>
/// <param name="LastLoss">Loss of the newest row.</param>
/// <param name="TarAtFar">True accept rate of the last validation; null without one.</param>
internal sealed record RunSummary(
    string Name,
    RunState State,
    string? Message,
    string? Loss = null,
    string? Backbone = null,
    string? Data = null,
    int? People = null,
    int? Images = null,
    int? HeldOut = null,
    DateTime? Started = null,
    DateTime? Updated = null,
    int? Epoch = null,
    int? Epochs = null,
    long? Step = null,
    long? Steps = null,
    double? LastLoss = null,
    double? TarAtFar = null);

/// <summary>A run in detail.</summary>
/// <param name="Summary">Its summary.</param>
/// <param name="Metrics">Rows of its metrics.jsonl, of the kinds "step" and "epoch".</param>
/// <param name="Whole">True if these are all rows; false if only those since the cursor that was sent.</param>
/// <param name="Cursor">To send as "after" next time, for the rows that follow these.</param>
/// <param name="Notes">Starts, warnings and ends.</param>
internal sealed record RunAnswer(RunSummary Summary, IReadOnlyList<JsonElement> Metrics, bool Whole, string Cursor, IReadOnlyList<RunNote> Notes);

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
    public string? Find(string name) => Folders().FirstOrDefault(folder => RealPath.NameOf(folder) == name);

    /// <summary>State of the run in a folder.</summary>
    public RunSummary Summarise(string folder)
    {
        string name = RealPath.NameOf(folder);
        RunFiles files = FilesOf(folder);
        RunInfo info;
        try
        {
            info = files.Info();
        }
        catch (UniFaceException e)
        {
            return new RunSummary(name, RunState.Damaged, e.Message);
        }

        string? failure = worker.FailureOf(folder);
        RunDigest digest = files.Log.Digest();
        IReadOnlyList<RunNote> notes = files.Notes();
        int epoch = (int)(Number(digest.LastEpoch, "epoch") ?? 0);
        RunNote? note = notes.LastOrDefault(n => n.Kind != RunEvent.Started);
        DateTime updated = digest.Written ?? info.Started;
        bool started = notes.Count == 0 ? digest.Written is not null : notes[^1].Kind is RunEvent.Started or RunEvent.Warning;
        RunState state = worker.IsTraining(folder) ? RunState.Running
            : RunLock.IsHeld(folder) ? RunState.RunningElsewhere
            : epoch >= info.Options.Epochs ? RunState.Finished
            : failure is not null || note?.Kind == RunEvent.Failed && !started ? RunState.Failed
            : RunState.Stopped;
        return new RunSummary(
            name,
            state,
            (state == RunState.Failed ? failure : null)
                ?? (note?.Kind is RunEvent.Failed or RunEvent.Warning && state != RunState.Finished ? note.Message : null),
            info.Options.Loss.ToString(),
            info.Options.Backbone.ToString(),
            Path.GetFileName(info.Options.Data),
            info.People,
            info.Images,
            info.HeldOut.Count,
            info.Started,
            updated,
            epoch,
            info.Options.Epochs,
            (long)(Number(digest.Last, "step") ?? 0),
            (long)info.StepsPerEpoch * info.Options.Epochs,
            Number(digest.Last, "loss"),
            Number(digest.LastValidation?.GetProperty("validation"), "tarAtFar"));
    }

    /// <summary>Reads a run in detail: its metrics rows, all or those after a cursor, and its notes.</summary>
    public RunAnswer Read(string folder, string? after)
    {
        RunSummary summary = Summarise(folder);
        RunFiles files = FilesOf(folder);
        (IReadOnlyList<JsonElement> rows, string cursor, bool whole) = files.Log.Read(after);
        files.LastRead = DateTime.UtcNow;
        foreach (RunFiles oldest in known.Values.Where(f => f != files && f.Log.Kept > 0).OrderBy(f => f.LastRead).ToArray())
        {
            if (known.Values.Sum(f => f.Log.Kept) > MaxKeptBytes)
            {
                oldest.Log.Forget();
            }
        }

        return new RunAnswer(summary, rows, whole, cursor, files.Notes());
    }

    private RunFiles FilesOf(string folder) => known.GetOrAdd(folder, f => new RunFiles(f));

    private static double? Number(JsonElement? row, string name) =>
        row is JsonElement { ValueKind: JsonValueKind.Object } element && element.TryGetProperty(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) ? number : null;
}
