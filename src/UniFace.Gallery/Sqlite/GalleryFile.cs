using System.Text.RegularExpressions;

namespace UniFace.Gallery.Sqlite;

/// <summary>
/// Creates database files atomically: under the temporary name FILE.PID.tmp, which is renamed when it is complete. Meanwhile the process
/// holds FILE.PID.tmp-lock. A temporary file without a held lock was left by a killed process; the next creation of FILE deletes it.
/// </summary>
internal static class GalleryFile
{
    private const string LockSuffix = "-lock";

    private static readonly string[] Suffixes = ["", "-wal", "-shm", "-journal"];

    /// <summary>Creates a database file, readable by its owner only, with a callback that fills an empty temporary file.</summary>
    public static async Task CreateAsync(string path, bool overwrite, Func<string, Task> write)
    {
        string full = Path.GetFullPath(path), folder = Path.GetDirectoryName(full)!, temporary = $"{full}.{Environment.ProcessId}.tmp";
        EnsureFree(path, overwrite);
        Directory.CreateDirectory(folder);
        DeleteAbandoned(full, folder);
        using FileStream held = new(temporary + LockSuffix, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
        try
        {
            AtomicFile.Write(temporary, static _ => { }, ownerOnly: true);
            await GalleryDatabase.GuardAsync(path, async () =>
            {
                await write(temporary);
                return 0;
            });
            using (FileStream made = new(temporary, FileMode.Open, FileAccess.ReadWrite))
            {
                made.Flush(flushToDisk: true);
            }

            File.Move(temporary, full, overwrite);
            AtomicFile.FlushFolder(folder);
        }
        finally
        {
            DeleteAll(temporary);
        }
    }

    // Temporary files hold templates of everybody, so none may stay behind.
    private static void DeleteAbandoned(string full, string folder)
    {
        Regex temporary = new($@"^{Regex.Escape(Path.GetFileName(full))}\.\d+\.tmp(?=-|$)", RegexOptions.CultureInvariant);
        foreach (string name in Directory.EnumerateFiles(folder).Select(f => temporary.Match(Path.GetFileName(f)).Value).Where(n => n.Length > 0).ToHashSet())
        {
            string file = Path.Combine(folder, name);
            if (!FileLock.IsHeld(file + LockSuffix))
            {
                DeleteAll(file);
                File.Delete(file + LockSuffix);
            }
        }
    }

    private static void DeleteAll(string file)
    {
        foreach (string suffix in Suffixes)
        {
            File.Delete(file + suffix);
        }
    }

    /// <summary>Refuses a path whose file must not be replaced, or cannot be because it is open.</summary>
    private static void EnsureFree(string path, bool overwrite)
    {
        if (!overwrite && File.Exists(path))
        {
            throw new UniFaceException($"{path}: exists already; choose another name, or delete it first.");
        }

        if (HasLog(path))
        {
            throw new UniFaceException($"{path}: another process has it open, or was killed ({path}-wal holds changes); close it, or choose another name.");
        }
    }

    /// <summary>True if some changes to a database are in its log only: a process has it open, or was killed.</summary>
    public static bool HasLog(string path) => new FileInfo(path + "-wal") is { Exists: true, Length: > 0 };
}
