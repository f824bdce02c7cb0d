using System.Collections.Concurrent;
using System.Text.Json;
using UniFace.Server.Endpoints;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Server.Runs;

/// <summary>How a run stands.</summary>
public enum RunState
{
    /// <summary>It trains in this service.</summary>
    Running,

    /// <summary>Its log was written to a moment ago: another process trains it.</summary>
    RunningElsewhere,

    /// <summary>It has not come to its end; it can go on.</summary>
    Stopped,

    /// <summary>It could not go on, and says why.</summary>
    Failed,

    /// <summary>It trained to its end.</summary>
    Finished,

    /// <summary>Its run.json cannot be read.</summary>
    Damaged,
}

/// <summary>A run in a list.</summary>
/// <param name="Name">Name of its folder.</param>
/// <param name="State">How it stands.</param>
/// <param name="Message">What went wrong and what to change, where something did; else null.</param>
/// <param name="Loss">The loss in full; null where run.json cannot be read, as all below.</param>
/// <param name="Backbone">The backbone.</param>
/// <param name="Data">The training set.</param>
/// <param name="People">People trained on.</param>
/// <param name="Images">Pictures trained on.</param>
/// <param name="HeldOut">People held out for validation.</param>
/// <param name="Started">When it was started.</param>
/// <param name="Updated">When its log was last written to.</param>
/// <param name="Epoch">Epochs completed.</param>
/// <param name="Epochs">Epochs in all.</param>
/// <param name="Step">Steps taken.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="LastLoss">Loss of the newest row.</param>
/// <param name="TarAtFar">True accept rate of the last validation; null without one.</param>
public sealed record RunSummary(
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

/// <summary>The runs of a folder, read from what training writes, and only what is new of it. A name is only ever compared with what is there, never made a path of.</summary>
internal sealed class RunCatalog(string root)
{
    private const int MostRuns = 500;
    private const long MostKept = 64 << 20; // bytes of rows
    private readonly ConcurrentDictionary<string, RunFiles> known = new(StringComparer.Ordinal);

    /// <summary>Where runs are looked for.</summary>
    public string Root => root;

    /// <summary>The runs' folders: of the folder itself, where it is a run, else those in it.</summary>
    public IReadOnlyList<string> Folders()
    {
        string[] folders = !Directory.Exists(root) ? []
            : RunFolder.Exists(root) ? [Path.GetFullPath(root)]
            : [.. Directory.EnumerateDirectories(root).Where(RunFolder.Exists).Take(MostRuns).Order(StringComparer.Ordinal)];
        foreach (string gone in known.Keys.Except(folders))
        {
            known.TryRemove(gone, out _);
        }

        return folders;
    }

    /// <summary>A run's folder by its name; null where there is none.</summary>
    public string? Find(string name) => Folders().FirstOrDefault(folder => NameOf(folder) == name);

    /// <summary>Name of a run's folder.</summary>
    public static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));

    /// <summary>How a run stands.</summary>
    /// <param name="folder">Its folder.</param>
    /// <param name="here">True where this service trains it.</param>
    /// <param name="failure">Why this service could not train it; null where it did not fail.</param>
    public RunSummary Summarise(string folder, bool here, string? failure)
    {
        string name = NameOf(folder);
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

        RunDigest digest = files.Log.Digest();
        IReadOnlyList<RunNote> notes = files.Notes();
        int epoch = (int)(Number(digest.LastEpoch, "epoch") ?? 0);
        RunNote? note = notes.LastOrDefault(n => n.Kind != RunEvent.Started);
        DateTime updated = digest.Written ?? info.Started;
        bool started = notes.Count == 0 ? digest.Written is not null : notes[^1].Kind is RunEvent.Started or RunEvent.Warning;
        RunState state = here ? RunState.Running
            : RunLock.IsHeld(folder) ? RunState.RunningElsewhere
            : epoch >= info.Options.Epochs ? RunState.Finished
            : failure is not null || note?.Kind == RunEvent.Failed && !started ? RunState.Failed
            : RunState.Stopped;
        return new RunSummary(
            name,
            state,
            (state == RunState.Failed ? failure : null) ?? (note?.Kind is RunEvent.Failed or RunEvent.Warning && state != RunState.Finished ? note.Message : null),
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

    /// <summary>How a run stands, and what it has written: rows of its metrics, all or those behind a cursor, and its notes.</summary>
    public RunEndpoints.RunAnswer Read(string folder, bool here, string? failure, string? after)
    {
        RunSummary summary = Summarise(folder, here, failure);
        RunFiles files = FilesOf(folder);
        (IReadOnlyList<JsonElement> rows, string cursor, bool whole) = files.Log.Read(after);
        files.Asked = DateTime.UtcNow;
        foreach (RunFiles oldest in known.Values.Where(f => f != files && f.Log.Kept > 0).OrderBy(f => f.Asked).ToArray())
        {
            if (known.Values.Sum(f => f.Log.Kept) > MostKept)
            {
                oldest.Log.Forget();
            }
        }

        return new RunEndpoints.RunAnswer(summary, rows, whole, cursor, files.Notes());
    }

    private RunFiles FilesOf(string folder) => known.GetOrAdd(folder, f => new RunFiles(f));

    private static double? Number(JsonElement? row, string name) =>
        row is JsonElement { ValueKind: JsonValueKind.Object } element && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) ? number : null;
}
