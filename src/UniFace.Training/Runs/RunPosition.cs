namespace UniFace.Training.Runs;

/// <summary>How far a run folder has come. It differs from an earlier reading if another process has trained or replaced the run.</summary>
/// <param name="Info">Text of run.json; null if there is none.</param>
/// <param name="Checkpoint">Modification time of the last checkpoint.</param>
internal readonly record struct RunPosition(string? Info, DateTime Checkpoint)
{
    public static RunPosition Read(string folder)
    {
        string path = Path.Combine(folder, RunFolder.InfoFile);
        return new RunPosition(File.Exists(path) ? File.ReadAllText(path) : null, File.GetLastWriteTimeUtc(Path.Combine(folder, RunFolder.LastFile)));
    }
}
