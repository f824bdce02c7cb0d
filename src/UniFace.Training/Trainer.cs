using Microsoft.Extensions.Logging;

namespace UniFace.Training;

/// <summary>
/// Trains a run to completion, resuming from its last checkpoint if there is one. A kill at any moment loses at most the steps since the
/// last checkpoint, and a resumed run ends with the same bits as one that was never stopped. Processes that were started by mpiexec train one run
/// together, each with a part of every batch and of the class centers: all of them make the same calls, and rank 0 writes the files.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly PreparedRun run;
    private readonly TrainingLoop loop;
    private TrainingEvents events = new();
    private RunPosition resumedFrom;

    internal Trainer(PreparedRun run)
    {
        this.run = run;
        loop = new TrainingLoop(run);
        resumedFrom = run.Position;
    }

    /// <summary>The description of the run.</summary>
    internal RunInfo Info => loop.Info;

    /// <summary>Optimizer steps of the whole run.</summary>
    public long TotalSteps => TrainingLoop.TotalSteps(Info);

    /// <summary>Steps done.</summary>
    public long Step => run.State.Step;

    /// <summary>
    /// Creates a run on the data that the options name: checks it, and writes run.json. A run that ended before its first checkpoint is
    /// replaced.
    /// </summary>
    /// <param name="folder">The run folder; created if it does not exist.</param>
    /// <param name="options">What to train.</param>
    /// <param name="progress">Receives the progress of <see cref="Run(CancellationToken)"/>.</param>
    /// <param name="logger">Receives warnings and the end of each epoch.</param>
    /// <param name="holdOut">
    /// True: if the options name no validation set and hold nobody out, and the data has at least 20 people with enough images, a tenth of them, with two
    /// images or more, is held out, on whom the export calibrates. False: exactly as the options say.
    /// </param>
    /// <param name="cancellationToken">Stops the hashing.</param>
    /// <exception cref="UniFaceException">The folder holds a run already, or the options or the data are not fit for training.</exception>
    public static Trainer Create(
        string folder,
        TrainOptions options,
        IProgress<TrainProgress>? progress = null,
        ILogger? logger = null,
        bool holdOut = true,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (holdOut && options is { Validation: null, ValidationPeople: 0, ValidationFolds: 0 })
        {
            using FaceDataset set = options.OpenData();
            options = options.HoldOutPeople(set);
        }

        Trainer trainer = Create(folder, options, data: null, cancellationToken: cancellationToken);
        trainer.events = CreateEvents(progress, logger);
        return trainer;
    }

    /// <summary>Resumes a run from its last checkpoint, or from its start if it has none, on the data that it was started with.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="progress">Receives the progress of <see cref="Run(CancellationToken)"/>.</param>
    /// <param name="logger">Receives warnings and the end of each epoch.</param>
    /// <param name="movedTo">Where the data is now, if it has moved: a path for each set, in their order; null where it was.</param>
    /// <param name="cancellationToken">Stops the hashing.</param>
    /// <exception cref="UniFaceException">There is no run, its checkpoint is damaged, an earlier version wrote it, or the data has changed.</exception>
    public static Trainer Resume(
        string folder,
        IProgress<TrainProgress>? progress = null,
        ILogger? logger = null,
        IReadOnlyList<string>? movedTo = null,
        CancellationToken cancellationToken = default)
    {
        TrainOptions? moved = null;
        if (movedTo is not null)
        {
            TrainOptions stored = RunFolder.ReadInfo(folder).Options;
            IReadOnlyList<WeightedData> sets = stored.DataSets;
            moved = movedTo.Count == sets.Count
                ? stored.WithData([.. sets.Zip(movedTo, (set, path) => set with { Path = Path.GetFullPath(path) })])
                : throw new UniFaceException($"{folder} was trained on {Plural.Format(sets.Count, "set")}, and {movedTo.Count} were given; name each.");
        }

        Trainer trainer = Resume(folder, data: null, changed: moved, cancellationToken: cancellationToken);
        trainer.events = CreateEvents(progress, logger);
        return trainer;
    }

    /// <summary>Creates a run on data that is open already.</summary>
    /// <param name="folder">The run folder; created if it does not exist.</param>
    /// <param name="options">What to train.</param>
    /// <param name="data">The training set, not disposed, which must outlive the trainer; null to open the sets that the options name.</param>
    /// <param name="validation">The validation set to <paramref name="data"/>, not disposed; null for none.</param>
    /// <param name="hashed">Called with the number of images hashed, from several threads.</param>
    /// <param name="decoder">Decodes the images; null for Skia.</param>
    /// <param name="cancellationToken">Stops the hashing.</param>
    /// <exception cref="UniFaceException">The folder holds a run already, or the options or the data are not fit for training.</exception>
    internal static Trainer Create(
        string folder,
        TrainOptions options,
        FaceDataset? data,
        FaceDataset? validation = null,
        Action<int>? hashed = null,
        IImageDecoder? decoder = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        TorchRuntime.Require();
        return new Trainer(new RunPreparation(folder, data, validation, hashed, decoder, MpiJob.Current, cancellationToken).Create(options));
    }

    /// <summary>Resumes a run from its last checkpoint, or from its start if it has none, on data that is open already.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="data">The training set, not disposed, which must outlive the trainer; null to open the sets that the options name.</param>
    /// <param name="validation">The validation set to <paramref name="data"/>, not disposed; null for none.</param>
    /// <param name="hashed">Called with the number of images hashed, from several threads.</param>
    /// <param name="changed">
    /// The options with another <see cref="TrainOptions.Threads"/>, another path to the same <see cref="TrainOptions.Data"/>, or more
    /// <see cref="TrainOptions.Epochs"/>, written to run.json when training continues. Null to resume the run as it is.
    /// </param>
    /// <param name="decoder">Decodes the images; null for Skia.</param>
    /// <param name="cancellationToken">Stops the hashing.</param>
    /// <exception cref="UniFaceException">
    /// There is no run, its checkpoint is damaged, it was written by an earlier version, the data has changed, or a change is not allowed.
    /// </exception>
    internal static Trainer Resume(
        string folder,
        FaceDataset? data,
        FaceDataset? validation = null,
        Action<int>? hashed = null,
        TrainOptions? changed = null,
        IImageDecoder? decoder = null,
        CancellationToken cancellationToken = default)
    {
        TorchRuntime.Require();
        _ = RunFolder.ReadInfo(folder); // A folder that is not a run is refused before a lock file is written to it.
        ICommunicator communicator = MpiJob.Current;
        using RunLock? runLock = communicator.Rank == 0 ? RunLock.Acquire(folder) : null;
        return new Trainer(new RunPreparation(folder, data, validation, hashed, decoder, communicator, cancellationToken).Resume(changed));
    }

    /// <summary>Trains to the end.</summary>
    /// <param name="cancellationToken">Saves a checkpoint and throws <see cref="OperationCanceledException"/>.</param>
    /// <returns>The run, which can be exported.</returns>
    /// <exception cref="UniFaceException">
    /// A loss, gradient or weight is not finite, or an image cannot be read; the last checkpoint is good. Or another process trains the run.
    /// </exception>
    public TrainingRun Run(CancellationToken cancellationToken = default) => Run(events, cancellationToken);

    /// <summary>Trains to the end on another thread.</summary>
    /// <inheritdoc cref="Run(CancellationToken)"/>
    public Task<TrainingRun> RunAsync(CancellationToken cancellationToken = default) => Task.Run(() => Run(cancellationToken), CancellationToken.None);

    /// <summary>Trains to the end.</summary>
    /// <param name="events">Called while training.</param>
    /// <param name="cancellationToken">Saves a checkpoint and throws <see cref="OperationCanceledException"/>.</param>
    /// <returns>The run, with its result.</returns>
    /// <exception cref="UniFaceException">
    /// A loss, gradient or weight is not finite, or an image cannot be read; the last checkpoint is good. Or another process trains the run.
    /// </exception>
    internal TrainingRun Run(TrainingEvents? events, CancellationToken cancellationToken = default)
    {
        if (run.State.Communicator.Rank > 0)
        {
            return new TrainingRun(run.Folder, Info, loop.Run(new TrainingEvents(), cancellationToken)); // Rank 0 writes and reports.
        }

        events ??= new TrainingEvents();
        using RunLock runLock = RunLock.Acquire(run.Folder);
        if (RunPosition.Read(run.Folder) != resumedFrom)
        {
            throw new UniFaceException($"{run.Folder} was trained by another process in the meantime; open it again.");
        }

        Action<string> logWarning = message => Log(RunEvent.Warning, message);
        events = events with { Warning = logWarning + events.Warning };
        if (run.Changes.Count > 0)
        {
            RunFolder.WriteInfo(run.Folder, Info);
        }

        string changed = string.Concat(run.Changes.Select(change => ", with " + change));
        Log(RunEvent.Started, run.Fresh ? "started" : $"resumed from step {Step}{changed}");
        try
        {
            TrainResult result = loop.Run(events, cancellationToken);
            Log(RunEvent.Finished, FormattableString.Invariant($"finished: {result.Epochs} epochs, loss {result.Loss:F4}"));
            return new TrainingRun(run.Folder, Info, result);
        }
        catch (OperationCanceledException)
        {
            Log(RunEvent.Stopped, $"stopped and saved at step {Step}");
            throw;
        }
        catch (Exception e)
        {
            Log(RunEvent.Failed, e.Message.ReplaceLineEndings("\n").Split('\n', 2)[0]); // libtorch appends a stack trace
            throw;
        }
        finally
        {
            resumedFrom = RunPosition.Read(run.Folder);
        }
    }

    /// <summary>Disposes the weights, the state and the data sets that the trainer opened.</summary>
    public void Dispose() => run.Dispose();

    private static TrainingEvents CreateEvents(IProgress<TrainProgress>? progress, ILogger? logger) => new()
    {
        Progress = progress is null ? null : progress.Report,
        Warning = logger is null ? null : message => logger.LogWarning("{Warning}", message),
        EpochEnded = logger is null ? null : epoch =>
        {
            if (logger.IsEnabled(LogLevel.Information))
            {
                logger.LogInformation("epoch {Epoch}: loss {Loss}, target cosine {TargetCosine}", epoch.Epoch, epoch.Loss, epoch.TargetCosine);
            }
        },
    };

    private void Log(RunEvent kind, string message) =>
        RunEventLog.Add(run.Folder, new RunNote(DateTime.UtcNow, Step, run.State.Epoch, kind, message));
}
