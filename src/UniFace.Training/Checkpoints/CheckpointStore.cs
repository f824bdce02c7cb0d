using System.Text.RegularExpressions;

namespace UniFace.Training.Checkpoints;

/// <summary>
/// The checkpoints of a run folder: the last one, from which training resumes, and the ones before it, in case the last is damaged.
/// </summary>
/// <param name="folder">The run folder.</param>
/// <param name="keep">Number of checkpoints to keep.</param>
internal sealed partial class CheckpointStore(string folder, int keep = 2)
{
    /// <summary>Name of the checkpoint that training resumes from.</summary>
    public const string LastFile = "last.ckpt";

    /// <summary>Name of the checkpoint before the last.</summary>
    public const string PreviousFile = "previous.ckpt";

    /// <summary>What to do if the last checkpoint is missing or damaged and there is a previous one.</summary>
    public const string Remedy = $"The checkpoint before it is {PreviousFile}: rename it to {LastFile} to resume from there";

    private readonly string last = Path.Combine(folder, LastFile);
    private readonly string previous = Path.Combine(folder, PreviousFile);

    /// <summary>True if there is a checkpoint.</summary>
    public bool HasAny => File.Exists(last) || File.Exists(previous);

    /// <summary>The path of the last checkpoint; null if there is none.</summary>
    /// <exception cref="UniFaceException">Only the previous one exists.</exception>
    public string? FindLast() => File.Exists(last) ? last
        : HasAny ? throw new UniFaceException($"{last} is missing. {Remedy}, or train in another folder.")
        : null;

    /// <summary>Makes a new checkpoint the last one. A last checkpoint exists at every moment once there is one.</summary>
    /// <param name="write">Writes the checkpoint to a path; on ranks other than the first, it writes a part, and they must do nothing else.</param>
    /// <param name="communicator">The processes that write it together; null for one.</param>
    public void Save(Action<string> write, ICommunicator? communicator = null)
    {
        string next = Path.Combine(folder, "next.ckpt");
        if (communicator is { Rank: > 0 })
        {
            write(next);
            return;
        }

        if (!File.Exists(last))
        {
            write(last);
            return;
        }

        write(next);
        Rotate();
        File.Replace(next, last, keep > 1 ? previous : null);
        AtomicFile.FlushFolder(folder);
        if (Directory.EnumerateFiles(folder, CheckpointParts.Pattern).Any())
        {
            CheckpointParts.DeleteUnused(folder);
        }
    }

    /// <summary>Deletes what a process that was killed while it wrote a checkpoint has left. No process must be writing one.</summary>
    public void DeleteUnfinished()
    {
        foreach (string file in Directory.EnumerateFiles(folder, ".*.tmp").Where(file => Unfinished.IsMatch(Path.GetFileName(file))))
        {
            File.Delete(file);
        }
    }

    /// <summary>The names that <see cref="AtomicFile"/> gives to unfinished checkpoints, parts and hashes of images.</summary>
    [GeneratedRegex(@"^\..+\.(ckpt|part|hashes|safetensors)\.\d+\.\d+\.tmp$", RegexOptions.CultureInvariant)]
    private static partial Regex Unfinished { get; }

    /// <summary>Renames the checkpoints before the last to make room for the next one, and deletes those that are too many.</summary>
    private void Rotate()
    {
        for (int age = keep - 1; age > 1; age--)
        {
            string newer = age == 2 ? previous : Older(age - 1);
            if (File.Exists(newer))
            {
                File.Move(newer, Older(age), overwrite: true);
            }
        }

        if (keep == 1)
        {
            File.Delete(previous);
        }

        for (int age = Math.Max(keep, 2); File.Exists(Older(age)); age++)
        {
            File.Delete(Older(age));
        }
    }

    private string Older(int age) => Path.Combine(folder, $"previous-{age}.ckpt");
}
