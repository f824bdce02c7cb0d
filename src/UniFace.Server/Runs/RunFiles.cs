using UniFace.Training.Runs;

namespace UniFace.Server.Runs;

/// <summary>What a run's folder says, remembered: a file is read again only where its length or last write is another.</summary>
internal sealed class RunFiles(string folder)
{
    private readonly Remembered<RunInfo> info = new(Path.Combine(folder, RunFolder.InfoFile), () => RunFolder.ReadInfo(folder));
    private readonly Remembered<IReadOnlyList<RunNote>> notes = new(Path.Combine(folder, RunFolder.NotesFile), () => RunEventLog.Read(folder));

    /// <summary>Its metrics.</summary>
    public RunLog Log { get; } = new(Path.Combine(folder, RunFolder.MetricsFile));

    /// <summary>When its rows were last asked for.</summary>
    public DateTime Asked { get; set; }

    /// <summary>Its run.json.</summary>
    /// <exception cref="UniFaceException">It cannot be read.</exception>
    public RunInfo Info() => info.Value();

    /// <summary>Its notes, oldest first.</summary>
    public IReadOnlyList<RunNote> Notes() => notes.Value();

    private sealed class Remembered<T>(string path, Func<T> read)
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
