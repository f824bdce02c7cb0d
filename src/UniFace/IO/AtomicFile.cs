namespace UniFace.IO;

/// <summary>
/// Writes a file under a temporary name and renames it: a kill or a power failure at any moment leaves either the old or the new file intact.
/// </summary>
internal static partial class AtomicFile
{
    /// <summary>What to say if <see cref="IsTooLarge"/>.</summary>
    public const string TooLarge = "the file is larger than its file system or the limit of the process (ulimit -f) allows";

    private const int LockShared = 1 | 4; // LOCK_SH | LOCK_NB

    /// <summary>Writes a file through a callback.</summary>
    /// <param name="path">The file; its folder is created.</param>
    /// <param name="write">Writes the content to the stream.</param>
    /// <param name="ownerOnly">Creates the file readable and writable by its owner only (0600), from the first byte; ignored on Windows.</param>
    public static void Write(string path, Action<Stream> write, bool ownerOnly = false)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full)!;
        Directory.CreateDirectory(folder);
        string temporary = Path.Combine(folder, $".{Path.GetFileName(full)}.{Environment.ProcessId}.{Environment.CurrentManagedThreadId}.tmp");
        try
        {
            // Held open until the rename, so that a temporary file that can be locked is known to be stale. Windows must allow the rename of an
            // open file.
            FileStreamOptions options = new()
            {
                Mode = FileMode.Create,
                Access = FileAccess.Write,
                Share = OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None,
                BufferSize = 1 << 16,
            };
            if (ownerOnly && !OperatingSystem.IsWindows())
            {
                File.Delete(temporary);
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using FileStream stream = new(temporary, options);
            write(stream);
            stream.Flush(flushToDisk: true);
            if (!OperatingSystem.IsWindows())
            {
                _ = Flock(stream.SafeFileHandle, LockShared); // for readers that open the file right after the rename
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch (Exception e)
        {
            File.Delete(temporary);
            if (IsTooLarge(e))
            {
                throw new IOException($"{full}: {TooLarge}", e);
            }

            throw;
        }

        FlushFolder(folder);
    }

    /// <summary>True for what .NET throws if a write exceeds the largest file (EFBIG), which is no IOException.</summary>
    public static bool IsTooLarge(Exception e) => e is ArgumentOutOfRangeException { ParamName: "value", ActualValue: null };

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    public static void WriteText(string path, string text, bool ownerOnly = false) =>
        Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(text)), ownerOnly);

    /// <summary>
    /// Writes a folder's entries to the disk, so that a rename or deletion in it survives a power failure (fsync of the directory).
    /// Does nothing on Windows, which journals them, and on file systems without support.
    /// </summary>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = Open(folder, 0);
        if (descriptor >= 0)
        {
            _ = Fsync(descriptor);
            _ = Close(descriptor);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "flock")]
    private static partial int Flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
