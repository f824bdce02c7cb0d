namespace UniFace.IO;

/// <summary>
/// An exclusive lock between processes, and between threads that each acquire it: a file that is opened exclusively. The operating system
/// releases it when its process ends. The empty lock file stays, because deleting it would let two processes hold different files.
/// </summary>
internal sealed class FileLock : IDisposable
{
    /// <summary>How long <see cref="Acquire"/> waits by default.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(20);
    private readonly FileStream stream;

    private FileLock(FileStream stream) => this.stream = stream;

    /// <summary>Acquires the lock of a file that is read, changed and written: <paramref name="path"/> plus ".lock".</summary>
    /// <param name="path">The guarded file. It need not exist; its folder is created.</param>
    /// <param name="timeout">How long to wait for another holder; <see cref="DefaultTimeout"/> if null.</param>
    /// <exception cref="UniFaceException">Another process holds the lock until the timeout.</exception>
    public static FileLock AcquireFor(string path, TimeSpan? timeout = null) => Acquire(path + ".lock", timeout);

    /// <summary>Acquires a lock by the path of its lock file.</summary>
    /// <param name="lockFile">The lock file; it and its folder are created.</param>
    /// <param name="timeout">How long to wait for another holder; <see cref="DefaultTimeout"/> if null.</param>
    /// <exception cref="UniFaceException">Another process holds the lock until the timeout.</exception>
    public static FileLock Acquire(string lockFile, TimeSpan? timeout = null)
    {
        Stopwatch waited = Stopwatch.StartNew();
        while (true)
        {
            if (TryAcquire(lockFile) is FileLock acquired)
            {
                return acquired;
            }

            if (waited.Elapsed >= (timeout ?? DefaultTimeout))
            {
                throw new UniFaceException($"{lockFile} is held by another process; wait for it to finish, or stop it, and try again");
            }

            Thread.Sleep(RetryInterval);
        }
    }

    /// <summary>Acquires a lock if it is free.</summary>
    /// <param name="lockFile">The lock file; it and its folder are created.</param>
    /// <returns>The lock, or null if another holder has it.</returns>
    public static FileLock? TryAcquire(string lockFile)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(lockFile))!);
        try
        {
            FileStreamOptions options = new()
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
            };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            return new FileLock(new FileStream(lockFile, options));
        }
        catch (IOException) when (File.Exists(lockFile))
        {
            return null;
        }
    }

    /// <summary>Whether the lock is held now. Never creates the lock file.</summary>
    public static bool IsHeld(string lockFile)
    {
        try
        {
            using FileStream stream = new(lockFile, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (IOException)
        {
            return File.Exists(lockFile);
        }
    }

    /// <summary>Releases the lock.</summary>
    public void Dispose() => stream.Dispose();
}
