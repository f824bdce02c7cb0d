namespace UniFace.Studio.Runs;

/// <summary>Cached files of a run's folder. A file is read again when its length or modification time changes.</summary>
internal sealed class RunFiles(string folder)
{
    private readonly Cached<RunInfo> info = new(Path.Combine(folder, RunFolder.InfoFile), () => RunFolder.ReadInfo(folder));
    private readonly Cached<IReadOnlyList<RunNote>> notes = new(Path.Combine(folder, RunFolder.NotesFile), () => RunEventLog.Read(folder));

    /// <summary>Its metrics.</summary>
    public RunLog Log { get; } = new(Path.Combine(folder, RunFolder.MetricsFile));

    /// <summary>When its rows were last requested.</summary>
    public DateTime LastRead { get; set; }

    /// <summary>Its run.json.</summary>
    /// <exception cref="UniFaceException">It cannot be read.</exception>
    public RunInfo Info() => info.Value();

    /// <summary>Its notes, oldest first.</summary>
    public IReadOnlyList<RunNote> Notes() => notes.Value();

    private sealed class Cached<T>(string path, Func<T> read)
        where T : class
    {
        private readonly Lock gate = new();
        private (long, DateTime) seen;
        private T? value;

        public T Value()
        {
            lock (gate)
            {
                FileInfo file = new(path);
                (long, DateTime) now = file.Exists ? (file.Length, file.LastWriteTimeUtc) : default;
                if (value is null || now != seen)
                {
                    value = null;
                    value = read();
                    seen = now;
                }

                return value;
            }
        }
    }
}
