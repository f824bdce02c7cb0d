using Microsoft.AspNetCore.Http;
using UniFace.Training;
using UniFace.Training.Runs;

namespace UniFace.Server.Runs;

/// <summary>Trains a run on in this process, one at a time, and stops it with a checkpoint. Stopping the service stops it, too.</summary>
internal sealed class RunWorker : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, string> failures = new(StringComparer.Ordinal);
    private string? folder;
    private CancellationTokenSource? stopping;
    private Task work = Task.CompletedTask;

    /// <summary>True where a run trains here.</summary>
    public bool Trains(string run)
    {
        lock (gate)
        {
            return folder == run && !work.IsCompleted;
        }
    }

    /// <summary>Why a run's last training here ended early; null where it did not.</summary>
    public string? FailureOf(string run)
    {
        lock (gate)
        {
            return failures.GetValueOrDefault(run);
        }
    }

    /// <summary>Goes on with a run in the background.</summary>
    /// <exception cref="UniFaceException">The folder is no run.</exception>
    /// <exception cref="BadHttpRequestException">Another run trains here.</exception>
    public void Resume(string run)
    {
        TrainOptions options = RunFolder.ReadInfo(run).Options;
        lock (gate)
        {
            if (!work.IsCompleted)
            {
                throw new BadHttpRequestException(
                    folder == run ? "this run trains already" : $"the run {RunCatalog.NameOf(folder!)} trains here; stop it first: one run at a time, because a run takes all the processor that it is allowed",
                    StatusCodes.Status409Conflict);
            }

            failures.Remove(run);
            stopping?.Dispose();
            stopping = new CancellationTokenSource();
            folder = run;
            CancellationToken stop = stopping.Token;
            work = Task.Factory.StartNew(() => Train(run, options, stop), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
    }

    /// <summary>The folder of the run of this name, where it trains here, deleted meanwhile or not; else null.</summary>
    public string? Find(string name)
    {
        lock (gate)
        {
            return folder is not null && !work.IsCompleted && RunCatalog.NameOf(folder) == name ? folder : null;
        }
    }

    /// <summary>Stops a run and waits until it is saved.</summary>
    /// <exception cref="BadHttpRequestException">It does not train here.</exception>
    public async Task StopAsync(string run)
    {
        Task ending;
        lock (gate)
        {
            if (folder != run || work.IsCompleted)
            {
                throw new BadHttpRequestException("this run does not train here, so it cannot be stopped from here; Ctrl-C in its own window saves and ends it", StatusCodes.Status409Conflict);
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

    private void Train(string run, TrainOptions options, CancellationToken stop)
    {
        try
        {
            using Trainer trainer = Trainer.Resume(run, stop);
            trainer.Run(null, stop);
        }
        catch (OperationCanceledException)
        {
            // Stopped and saved.
        }
#pragma warning disable CA1031 // Whatever it was, it is told on the page; the service goes on.
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
