namespace UniFace.Training.Checkpoints;

/// <summary>The checkpoints of a run folder: the last one, from which training resumes, and the one before it, in case the last is damaged.</summary>
internal sealed class CheckpointStore(string folder)
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
    /// <param name="write">Writes the checkpoint to a path.</param>
    public void Save(Action<string> write)
    {
        if (!File.Exists(last))
        {
            write(last);
            return;
        }

        string next = Path.Combine(folder, "next.ckpt");
        write(next);
        File.Replace(next, last, previous);
        AtomicFile.FlushFolder(folder);
    }
}
