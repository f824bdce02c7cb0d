using UniFace.IO;
using UniFace.Training;

namespace UniFace.Studio.Runs;

/// <summary>Resumes a run in this process, one at a time, and stops it with a checkpoint. Stopping the service stops it, too.</summary>
internal sealed class RunWorker : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, string> failures = new(StringComparer.Ordinal);
    private string? folder;
    private CancellationTokenSource? stopping;
    private Task work = Task.CompletedTask;

    /// <summary>True while a run trains here.</summary>
    public bool IsTraining(string run)
    {
        lock (gate)
        {
            return folder == run && !work.IsCompleted;
        }
    }

    /// <summary>Why a run's last training here failed; null if it did not.</summary>
    public string? FindFailure(string run)
    {
        lock (gate)
        {
            return failures.GetValueOrDefault(run);
        }
    }

    /// <summary>Resumes a run in the background.</summary>
    /// <exception cref="UniFaceException">The folder is not a run.</exception>
    /// <exception cref="ProblemException">A run trains here already.</exception>
    public void Resume(string run)
    {
        _ = RunFolder.ReadInfo(run); // A damaged run is refused at once.
        lock (gate)
        {
            if (!work.IsCompleted)
            {
                throw new ProblemException(
                    Status409Conflict,
                    folder == run
                        ? "this run is training already"
                        : $"the run {RealPath.GetName(folder!)} is training here; stop it first: " +
                            "a run uses all available cores, so only one can train at a time");
            }

            failures.Remove(run);
            stopping?.Dispose();
            stopping = new CancellationTokenSource();
            folder = run;
            CancellationToken stop = stopping.Token;
            work = Task.Factory.StartNew(() => Train(run, stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    /// <summary>The folder of the run of this name if it trains here, even if the folder has been deleted; otherwise null.</summary>
    public string? Find(string name)
    {
        lock (gate)
        {
            return folder is not null && !work.IsCompleted && RealPath.GetName(folder) == name ? folder : null;
        }
    }

    /// <summary>Stops a run and waits until it is saved.</summary>
    /// <exception cref="ProblemException">It does not train here.</exception>
    public async Task StopAsync(string run)
    {
        Task ending;
        lock (gate)
        {
            if (folder != run || work.IsCompleted)
            {
                throw new ProblemException(
                    Status409Conflict, "this run is not training here, so it cannot be stopped from here; press Ctrl-C in its own window to save and end it");
            }

            stopping!.Cancel();
            ending = work;
        }

        await ending;
    }

    public async ValueTask DisposeAsync()
    {
        Task ending;
        lock (gate)
        {
            stopping?.Cancel();
            ending = work;
        }

        await ending;
        stopping?.Dispose();
    }

    private void Train(string run, CancellationToken stop)
    {
        try
        {
            using Trainer trainer = Trainer.Resume(run, cancellationToken: stop);
            trainer.Run(null, stop);
        }
        catch (OperationCanceledException)
        {
            // Stopped and saved.
        }
#pragma warning disable CA1031 // The page shows the failure; the service continues.
        catch (Exception e)
        {
            lock (gate)
            {
                failures[run] = e.Message.ReplaceLineEndings("\n").Split('\n', 2)[0];
            }
        }
#pragma warning restore CA1031
    }
}
