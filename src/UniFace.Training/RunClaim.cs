namespace UniFace.Training;

/// <summary>
/// Says to other processes that a run is being trained: its training.lock, held open alone. The system lets go of it when the process ends,
/// however it ends; the empty file stays.
/// </summary>
public sealed class RunClaim : IDisposable
{
    private const string LockFile = "training.lock";
    private const int Tries = 20;
    private readonly FileStream held;

    private RunClaim(FileStream held) => this.held = held;

    /// <summary>Takes a run for training.</summary>
    /// <param name="runFolder">The RUN folder.</param>
    /// <exception cref="UniFaceException">Another process trains it.</exception>
    public static RunClaim Take(string runFolder)
    {
        string path = Path.Combine(runFolder, LockFile);
        Directory.CreateDirectory(runFolder);
        for (int tries = 1; ; tries++)
        {
            try
            {
                return new RunClaim(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException) when (tries < Tries && File.Exists(path))
            {
                Thread.Sleep(50); // somebody may only be asking
            }
            catch (IOException e) when (File.Exists(path))
            {
                throw new UniFaceException($"{runFolder} is being trained by another process; two would overwrite each other's checkpoints. Wait for it, or stop it there first.", e);
            }
        }
    }

    /// <summary>True where a run is being trained, here or by another process.</summary>
    /// <param name="runFolder">The RUN folder.</param>
    public static bool IsTaken(string runFolder)
    {
        string path = Path.Combine(runFolder, LockFile);
        if (!File.Exists(path))
        {
            return false;
        }

        try
        {
            using FileStream asked = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return false;
        }
        catch (IOException)
        {
            return File.Exists(path);
        }
    }

    /// <summary>Lets go of it.</summary>
    public void Dispose() => held.Dispose();
}
