using System.Text.RegularExpressions;
using UniFace.Gallery.Index;
using UniFace.IO;

namespace UniFace.Gallery.Sqlite;

/// <summary>The index beside a gallery's database, FILE.index, and leftovers of others. A process that changes it holds its lock, FILE.index.lock.</summary>
internal sealed class StoredIndex(string gallery, GalleryInfo info)
{
    /// <summary>The file.</summary>
    public string Path => gallery + ".index";

    /// <summary>Whose rows it holds, as its stamp says.</summary>
    public string Owner => $"{info.Id} {info.Scoring} {info.Generation}".TrimEnd();

    /// <summary>
    /// Overwrites rows of the stored index, or deletes it where that cannot be done, and deletes what is left over of others. The index's lock must be held.
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
            ExactIndex.Erase(Path, Owner, rows);
        }
        catch (UniFaceException)
        {
            Delete(Path);
        }
    }

    /// <summary>
    /// The lock of a gallery's index. Whoever stores it, erases from it or restores the gallery holds it, so that nobody stores again what another
    /// process has erased.
    /// </summary>
    /// <exception cref="UniFaceException">Another process has it for half a minute, or its file belongs to another user.</exception>
    public static Task<FileLock> LockAsync(string gallery, CancellationToken stop) => Task.Run(
        () =>
        {
            try
            {
                return AsOpen(FileLock.AcquireFor(gallery + ".index"), gallery);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new UniFaceException($"{gallery}.index.lock cannot be opened: {e.Message} Use the gallery as the user whom its files belong to.", e);
            }
        },
        stop);

    /// <summary>The index's lock; null if it cannot be had now.</summary>
    public FileLock? TryLock()
    {
        try
        {
            return FileLock.TryAcquire(Path + ".lock") is FileLock held ? AsOpen(held, gallery) : null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Whoever may change the gallery may take its lock; the lock file is made for its owner only.
    private static FileLock AsOpen(FileLock held, string gallery)
    {
        string file = gallery + ".index.lock";
        try
        {
            if (!OperatingSystem.IsWindows() && File.Exists(gallery) && File.GetUnixFileMode(file) != File.GetUnixFileMode(gallery))
            {
                FileModes.Copy(gallery, file);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's file: it could be opened, so it is open enough.
        }

        return held;
    }

    /// <summary>
    /// Files beside the gallery that hold templates and that nobody reads: of an index or a restored gallery that was being written when its process was
    /// killed, of an earlier version, or of before the gallery was encrypted.
    /// </summary>
    public IReadOnlyList<string> Leftovers()
    {
        string full = System.IO.Path.GetFullPath(gallery), name = Regex.Escape(System.IO.Path.GetFileName(full));
        string index = $@"\.{name}\.index\..*\.tmp|{name}\.index\.(codes|rows)" + (info.Encrypted ? $@"|{name}\.index" : "");
        Regex leftover = new($@"^({index}|{name}(\.restore|\.restore\.\d+\.tmp|\.\d+\.tmp)(-wal|-shm|-journal)?)$", RegexOptions.CultureInvariant);
        return [.. Directory.EnumerateFiles(System.IO.Path.GetDirectoryName(full)!).Where(file => leftover.IsMatch(System.IO.Path.GetFileName(file)))];
    }

    /// <summary>
    /// Deletes the leftovers. The index's lock must be held: who has the process number in a temporary file's name says nothing, in a container every service
    /// is process 1.
    /// </summary>
    public void DeleteLeftovers()
    {
        foreach (string file in Leftovers())
        {
            try
            {
                using FileStream nobodys = new(file, FileMode.Open, FileAccess.Read, OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None);
                Delete(file);
            }
            catch (IOException e) when (File.Exists(file))
            {
                throw new UniFaceException($"{file} may hold templates and cannot be deleted: {e.Message}", e);
            }
            catch (IOException)
            {
                // It was renamed or deleted just now.
            }
        }
    }

    /// <summary>Deletes a file for good.</summary>
    public static void Delete(string file)
    {
        File.Delete(file);
        AtomicFile.FlushFolder(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!);
    }
}
