using System.Diagnostics;
using System.Globalization;
using UniFace.IO;

namespace UniFace.Gallery.Sqlite;

/// <summary>Database files that are made whole or not at all.</summary>
internal static class GalleryFile
{
    /// <summary>Makes a database file by a callback that fills an empty one beside it; whole or not at all, for its owner only.</summary>
    public static void Make(string path, bool overwrite, Action<string> write)
    {
        string full = Path.GetFullPath(path), folder = Path.GetDirectoryName(full)!;
        EnsureFree(path, overwrite);
        Directory.CreateDirectory(folder);
        string beside = $"{full}.{Environment.ProcessId}.tmp";
        DeleteOfDead(full);
        try
        {
            AtomicFile.Write(beside, static _ => { }, ownerOnly: true);
            GalleryDatabase.Guard(path, () =>
            {
                write(beside);
                return 0;
            });
            using (FileStream made = new(beside, FileMode.Open, FileAccess.ReadWrite))
            {
                made.Flush(flushToDisk: true);
            }

            File.Move(beside, full, overwrite);
            AtomicFile.FlushFolder(folder);
        }
        finally
        {
            foreach (string leftover in new[] { beside, beside + "-wal", beside + "-shm", beside + "-journal" })
            {
                File.Delete(leftover);
            }
        }
    }

    // What processes that were killed left of files of this name, with everybody's templates in it.
    private static void DeleteOfDead(string full)
    {
        string name = Path.GetFileName(full) + ".";
        Lazy<HashSet<string>> running = new(() => [.. Process.GetProcesses().Select(p => p.Id.ToString(CultureInfo.InvariantCulture))]);
        foreach (string file in Directory.EnumerateFiles(Path.GetDirectoryName(full)!))
        {
            if (Path.GetFileName(file) is string found
                && found.StartsWith(name, StringComparison.Ordinal)
                && found[name.Length..].Split('.') is [string process, "tmp" or "tmp-wal" or "tmp-shm" or "tmp-journal"]
                && process.All(char.IsAsciiDigit)
                && !running.Value.Contains(process))
            {
                File.Delete(file);
            }
        }
    }

    /// <summary>Refuses a path at which there is a file that must not, or while it is open cannot, be replaced.</summary>
    public static void EnsureFree(string path, bool overwrite)
    {
        if (!overwrite && File.Exists(path))
        {
            throw new UniFaceException($"{path}: exists already; choose another name, or delete it first.");
        }

        if (HasLog(path))
        {
            throw new UniFaceException($"{path}: is open in another process, or was left so ({path}-wal holds changes); close it, or choose another name.");
        }
    }

    /// <summary>True where changes to a database are in its log only: a process has it open, or was killed.</summary>
    public static bool HasLog(string path) => new FileInfo(path + "-wal") is { Exists: true, Length: > 0 };
}
