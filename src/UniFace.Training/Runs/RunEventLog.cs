using UniFace.Vision.Photos;

namespace UniFace.Training.Runs;

/// <summary>Kinds of run events.</summary>
internal enum RunEvent
{
    /// <summary>Training started, from the beginning or from a checkpoint.</summary>
    Started,

    /// <summary>Something to look at, for example a loss that does not fall.</summary>
    Warning,

    /// <summary>Training was stopped and saved; it can be resumed.</summary>
    Stopped,

    /// <summary>Training failed.</summary>
    Failed,

    /// <summary>Training finished.</summary>
    Finished,
}

/// <summary>A line of notes.jsonl.</summary>
/// <param name="Time">Time, UTC.</param>
/// <param name="Step">Steps taken.</param>
/// <param name="Epoch">Epochs completed.</param>
/// <param name="Kind">The kind.</param>
/// <param name="Message">A sentence for people.</param>
internal sealed record RunNote(DateTime Time, long Step, int Epoch, RunEvent Kind, string Message);

/// <summary>The event log of a run folder, notes.jsonl: starts, warnings and ends.</summary>
internal static class RunEventLog
{
    private const int MaxBytes = 4 << 20;

    /// <summary>The events in the last 4 MB of a run's log, oldest first; empty if the run has no log. A truncated line is skipped.</summary>
    public static IReadOnlyList<RunNote> Read(string folder)
    {
        FileInfo file = new(Path.Combine(folder, RunFolder.NotesFile));
        if (!file.Exists)
        {
            return [];
        }

        List<RunNote> notes = [];
        using FileStream stream = new(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = Math.Max(0, stream.Length - MaxBytes);
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is string line)
        {
            try
            {
                if (JsonSerializer.Deserialize(line, RunNoteJson.Default.RunNote) is RunNote note)
                {
                    notes.Add(note);
                }
            }
            catch (JsonException)
            {
                // A line truncated by a kill, or by the start of the last 4 MB.
            }
        }

        return notes;
    }

    /// <summary>Appends an event. A write error is ignored, because it must not end a training.</summary>
    internal static void Add(string folder, RunNote note)
    {
        try
        {
            File.AppendAllText(Path.Combine(folder, RunFolder.NotesFile), JsonSerializer.Serialize(note, RunNoteJson.Default.RunNote) + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The metrics and checkpoints report a failing disk.
        }
    }
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, GenerationMode = JsonSourceGenerationMode.Metadata, Converters = [typeof(KebabCaseEnum<RunEvent>)])]
[JsonSerializable(typeof(RunNote))]
internal sealed partial class RunNoteJson : JsonSerializerContext;
