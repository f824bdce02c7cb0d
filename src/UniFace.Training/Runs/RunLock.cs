namespace UniFace.Training.Runs;

/// <summary>A lock on a run folder (training.lock): only one process trains a run at a time.</summary>
internal sealed class RunLock : IDisposable
{
    private const string LockFile = "training.lock";
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2); // IsHeld in another process takes the lock for a moment
    private readonly FileLock fileLock;

    private RunLock(FileLock fileLock) => this.fileLock = fileLock;

    /// <summary>Locks a run for training.</summary>
    /// <param name="runFolder">The run folder; created if it does not exist.</param>
    /// <exception cref="UniFaceException">Another process is training it.</exception>
    public static RunLock Acquire(string runFolder)
    {
        try
        {
            return new RunLock(FileLock.Acquire(Path.Combine(runFolder, LockFile), Timeout));
        }
        catch (UniFaceException e)
        {
            throw new UniFaceException($"{runFolder} is being trained by another process. Wait until it ends, or stop it first.", e);
        }
    }

    /// <summary>True if a run is being trained, by this or another process; false if another user's lock cannot be read.</summary>
    /// <param name="runFolder">The run folder.</param>
    public static bool IsHeld(string runFolder)
    {
        try
        {
            return FileLock.IsHeld(Path.Combine(runFolder, LockFile));
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Releases the lock.</summary>
    public void Dispose() => fileLock.Dispose();
}
