using System.Text.Json;
using System.Text.Json.Serialization;

namespace UniFace.Training;

/// <summary>What happened to a run.</summary>
public enum RunEvent
{
    /// <summary>Training began, from the start or from a checkpoint.</summary>
    Started,

    /// <summary>Something to look at: the loss does not fall, say.</summary>
    Warning,

    /// <summary>It was stopped and saved; it can go on.</summary>
    Stopped,

    /// <summary>It could not go on.</summary>
    Failed,

    /// <summary>It trained to its end.</summary>
    Finished,
}

/// <summary>A line of notes.jsonl.</summary>
/// <param name="Time">When, UTC.</param>
/// <param name="Step">Steps taken.</param>
/// <param name="Epoch">Epochs completed.</param>
/// <param name="Kind">What.</param>
/// <param name="Message">In words: what went wrong and what to change.</param>
public sealed record RunNote(DateTime Time, long Step, int Epoch, RunEvent Kind, string Message);

/// <summary>notes.jsonl of a RUN folder: starts, warnings and ends, for those who look later or from elsewhere.</summary>
public static class RunNotes
{
    private const int MostBytes = 4 << 20;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) } };

    /// <summary>Notes of a run, oldest first; none where the run is older than its notes. A line that is cut short is left out.</summary>
    public static IReadOnlyList<RunNote> Read(string folder)
    {
        FileInfo file = new(Path.Combine(folder, TrainingRun.NotesFile));
        if (!file.Exists || file.Length > MostBytes)
        {
            return [];
        }

        List<RunNote> notes = [];
        using FileStream stream = new(file.FullName, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is string line)
        {
            try
            {
                if (JsonSerializer.Deserialize<RunNote>(line, Json) is RunNote note)
                {
                    notes.Add(note);
                }
            }
            catch (JsonException)
            {
                // A line cut short by a kill.
            }
        }

        return notes;
    }

    /// <summary>Appends a note. A disk that refuses it must not end a training that goes well.</summary>
    internal static void Add(string folder, RunNote note)
    {
        try
        {
            File.AppendAllText(Path.Combine(folder, TrainingRun.NotesFile), JsonSerializer.Serialize(note, Json) + "\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The notes are for people; the metrics and checkpoints, which would fail too, say what is wrong with the disk.
        }
    }
}
