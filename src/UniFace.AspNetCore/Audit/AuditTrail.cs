namespace UniFace.AspNetCore.Audit;

/// <summary>Result of checking an audit log.</summary>
/// <param name="Lines">Number of lines, up to the first fault.</param>
/// <param name="LastHash">
/// Hash of the last correct line; empty for an empty log. Note it elsewhere, to detect later that the log and its head were replaced together.
/// </param>
/// <param name="Fault">The first fault; null for none.</param>
/// <param name="HasPartialLine">
/// A kill or a full disk cut the last line short. It was not acknowledged; the next event takes its place.
/// </param>
internal sealed record AuditCheck(long Lines, string LastHash, string? Fault, bool HasPartialLine);

/// <summary>The audit log of a data folder, seen from outside the service, which may be running.</summary>
internal static class AuditTrail
{
    /// <summary>Adds an event of the command line.</summary>
    /// <param name="dataFolder">The service's data folder.</param>
    /// <param name="what">What was done, without names.</param>
    public static async Task AddAsync(string dataFolder, string what)
    {
        await using AuditLog log = new(dataFolder);
        await log.AddAsync(new AuditEvent("command line", what));
    }

    /// <summary>Checks every line against the one before, over all files, and the end against the head.</summary>
    /// <param name="dataFolder">The service's data folder.</param>
    /// <param name="noted">A hash from an earlier check that must still be there; null for none.</param>
    /// <exception cref="UniFaceException">The log's key is missing or damaged.</exception>
    public static AuditCheck Verify(string dataFolder, string? noted = null)
    {
        AuditFiles files = AuditFiles.ForReading(dataFolder);
        using FileLock held = files.Lock();
        AuditHead? head = files.ReadHead(out bool missed);
        using FileStream? active = File.Exists(files.Log) ? AuditFiles.OpenForReading(files.Log) : null;
        (long end, bool unfinished) = active is null ? (0, false) : AuditLines.FindEnd(active);
        held.Dispose(); // Writers need not wait for the check.
        string last = "";
        long lines = 0;
        bool found = noted is null, reached = head is null or { Lines: 0 };
        AuditCheck Result(string? fault) => new(lines, last, fault, unfinished);
        string[] full = [.. Enumerable.Range(1, head?.Files ?? 0).Select(files.Full)];
        if (full.FirstOrDefault(file => !File.Exists(file)) is string missing)
        {
            return Result($"{Path.GetFileName(missing)} is missing");
        }

        foreach (string line in full.SelectMany(ReadLines).Concat(active is null ? [] : AuditLines.Read(active, 0, end)))
        {
            lines++;
            if (!AuditLines.Follows(line, files.Key, last, out string hash))
            {
                return Result($"line {lines} is not what was written, or the line before it is missing");
            }

            last = hash;
            found |= hash == noted;
            reached |= lines == head?.Lines && hash == head.Hash;
        }

        return Result(
            missed ? "audit.head, which says where the log ends, is missing or was changed"
            : !reached ? $"the log ends after {lines} lines, but {head!.Lines} were written: its end was cut off, or it was deleted"
            : head is null && lines == 0 ? "audit.jsonl is missing although audit.key exists"
            : !found ? "the noted line is missing: the log's end was cut off, or it was replaced"
            : null);
    }

    private static IEnumerable<string> ReadLines(string path)
    {
        using FileStream stream = AuditFiles.OpenForReading(path);
        foreach (string line in AuditLines.Read(stream, 0, stream.Length))
        {
            yield return line;
        }
    }
}
