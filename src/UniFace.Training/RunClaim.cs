using UniFace.IO;

namespace UniFace.Training;

/// <summary>Says to other processes that a run is being trained: the lock on its training.lock.</summary>
public sealed class RunClaim : IDisposable
{
    private const string LockFile = "training.lock";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2); // somebody may only be asking
    private readonly FileLock held;

    private RunClaim(FileLock held) => this.held = held;

    /// <summary>Takes a run for training.</summary>
    /// <param name="runFolder">The RUN folder; created if it is not there.</param>
    /// <exception cref="UniFaceException">Another process trains it.</exception>
    public static RunClaim Take(string runFolder)
    {
        try
        {
            return new RunClaim(FileLock.Acquire(Path.Combine(runFolder, LockFile), Patience));
        }
        catch (UniFaceException e)
        {
            throw new UniFaceException($"{runFolder} is being trained by another process; two would overwrite each other's checkpoints. Wait for it, or stop it there first.", e);
        }
    }

    /// <summary>True if a run is being trained, here or by another process; false if another user's lock may not be read.</summary>
    /// <param name="runFolder">The RUN folder.</param>
    public static bool IsTaken(string runFolder)
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

    /// <summary>Lets go of it.</summary>
    public void Dispose() => held.Dispose();
}
