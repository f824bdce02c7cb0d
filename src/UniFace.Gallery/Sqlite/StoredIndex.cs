using System.Text.RegularExpressions;

namespace UniFace.Gallery.Sqlite;

/// <summary>The index that is stored beside a gallery as FILE.index. A process that changes it holds the lock FILE.index.lock.</summary>
internal sealed class StoredIndex(string gallery, GalleryInfo info)
{
    private const string Suffix = ".index";

    /// <summary>The file.</summary>
    public string Path => gallery + Suffix;

    /// <summary>The gallery whose rows the index holds, as its stamp names it.</summary>
    public string Owner => $"{info.Id} {info.Scoring} {info.Generation}".TrimEnd();

    /// <summary>
    /// Overwrites rows of the stored index, or deletes the index if that fails; deletes leftover files too. The caller holds the index's lock.
    /// </summary>
    /// <exception cref="UniFaceException">A file that may hold the rows cannot be deleted.</exception>
    public void Erase(IReadOnlyCollection<long> rows)
    {
        DeleteLeftovers();
        if (info.Encrypted || !File.Exists(Path))
        {
            return;
        }

        try
        {
            IndexFile.Erase(Path, Owner, rows);
        }
        catch (UniFaceException)
        {
            Delete(Path);
        }
    }

    /// <summary>
    /// Acquires the lock of a gallery's index. A process that stores the index, erases from it or restores the gallery holds the lock, so that
    /// none stores again what another has erased.
    /// </summary>
    /// <exception cref="UniFaceException">Another process holds it for half a minute, or its file belongs to another user.</exception>
    public static Task<FileLock> LockAsync(string gallery, CancellationToken stop) => Task.Run(
        () =>
        {
            try
            {
                FileLock held = FileLock.AcquireFor(gallery + Suffix);
                ShareLock(gallery);
                return held;
            }
            catch (UnauthorizedAccessException e)
            {
                throw new UniFaceException($"{gallery}.index.lock cannot be opened: {e.Message} Use the gallery as the user who owns its files.", e);
            }
        },
        stop);

    /// <summary>The index's lock; null if it is not free.</summary>
    public FileLock? TryLock()
    {
        try
        {
            FileLock? held = FileLock.TryAcquire(Path + ".lock");
            ShareLock(gallery);
            return held;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    // The lock file is created for its owner only; every user who may change the gallery may take the lock.
    private static void ShareLock(string gallery)
    {
        try
        {
            FileModes.Copy(gallery, gallery + ".index.lock");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No gallery yet, or another user's file; it could be opened, so its mode is sufficient.
        }
    }

    /// <summary>
    /// Files beside the gallery that hold templates and that nothing reads: of an index or a restore whose process was killed, of an earlier
    /// version, or from before the gallery was encrypted.
    /// </summary>
    public IReadOnlyList<string> Leftovers()
    {
        string full = System.IO.Path.GetFullPath(gallery), name = Regex.Escape(System.IO.Path.GetFileName(full));
        string index = $@"\.{name}\.index\..*\.tmp|{name}\.index\.(codes|rows)" + (info.Encrypted ? $@"|{name}\.index" : "");
        Regex leftover = new($@"^({index}|{name}(\.restore|\.restore\.\d+\.tmp|\.\d+\.tmp)(-wal|-shm|-journal|-lock)?)$", RegexOptions.CultureInvariant);
        return [.. Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(full)!).Where(file => leftover.IsMatch(System.IO.Path.GetFileName(file)))];
    }

    /// <summary>
    /// Deletes the leftovers. The caller holds the index's lock. The process number in a temporary file's name does not tell whether its process
    /// lives: in a container every service is process 1.
    /// </summary>
    public void DeleteLeftovers()
    {
        foreach (string file in Leftovers())
        {
            try
            {
                using FileStream alone = new(file, FileMode.Open, FileAccess.Read, OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None);
                Delete(file);
            }
            catch (IOException e) when (File.Exists(file))
            {
                throw new UniFaceException($"{file} may hold templates and cannot be deleted: {e.Message}", e);
            }
            catch (IOException)
            {
                // Another process renamed or deleted it.
            }
        }
    }

    /// <summary>Deletes a file so that the deletion survives a power failure.</summary>
    public static void Delete(string file)
    {
        File.Delete(file);
        AtomicFile.FlushFolder(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!);
    }
}
