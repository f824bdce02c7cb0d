namespace UniFace.Training;

/// <summary>
/// Trains a run to its end, from wherever it stands. A kill at any moment loses at most the steps since the last checkpoint, and a resumed run
/// ends with the same bits as one that was never stopped.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly string folder;
    private readonly bool fresh;
    private readonly TrainingState state;
    private readonly TrainingLoop loop;
    private readonly IReadOnlyCollection<IDisposable> owned;
    private readonly IReadOnlyList<string> changes;
    private (string? Info, DateTime Checkpoint) resumedFrom; // text of run.json, modification time of the checkpoint resumed from

    internal Trainer(
        string folder,
        RunInfo info,
        TrainingData data,
        TrainingState state,
        Device device,
        bool fresh,
        IReadOnlyCollection<IDisposable> owned,
        IReadOnlyList<string>? changes = null)
    {
        this.folder = folder;
        this.fresh = fresh;
        this.state = state;
        this.owned = owned;
        this.changes = changes ?? [];
        Info = info;
        loop = new TrainingLoop(folder, info, data, state, device, fresh);
        resumedFrom = ReadPosition();
    }

    /// <summary>The description of the run.</summary>
    public RunInfo Info { get; }

    /// <summary>Optimizer steps of the whole run.</summary>
    public long TotalSteps => TrainingLoop.TotalSteps(Info);

    /// <summary>Steps done.</summary>
    public long Step => state.Step;

    /// <summary>
    /// Creates a run: checks the options and the data, hashes the data and writes run.json. A run that ended before its first checkpoint is
    /// replaced.
    /// </summary>
    /// <param name="folder">The run folder; created if it does not exist.</param>
    /// <param name="options">What to train.</param>
    /// <param name="data">The training set, which stays the caller's and must outlive the trainer; null to open the sets that the options name.</param>
    /// <param name="validation">The validation set to <paramref name="data"/>, or null; stays the caller's.</param>
    /// <param name="hashed">Called with the number of images hashed, from several threads.</param>
    /// <param name="decoder">Decodes the images; null for Skia.</param>
    /// <param name="cancellationToken">Stops the hashing.</param>
    /// <exception cref="UniFaceException">The folder holds a run already, or the options or the data are not fit for training.</exception>
    public static Trainer Create(
        string folder,
        TrainOptions options,
        FaceDataset? data = null,
        FaceDataset? validation = null,
        Action<int>? hashed = null,
        IImageDecoder? decoder = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        RequireFree(folder);
        Device device = OpenDevice(options.Device);
        return Build(owned =>
        {
            (FaceDataset training, FaceDataset? validated) = OpenData(options, data, validation, owned);
            TrainingData prepared = TrainingData.Create(options, training, validated, decoder ?? new SkiaImageDecoder());
            RunInfo info = new()
            {
                Id = Guid.NewGuid().ToString("N"),
                ToolVersion = UniFace.ToolVersion.Current,
                Started = DateTime.UtcNow,
                Options = options,
                DataHash = validated is null
                    ? training.ComputeHash((_, _) => hashed?.Invoke(1), cancellationToken)
                    : HashWithoutOverlap(validated, training, prepared.Training, hashed, cancellationToken),
                People = prepared.Training.People.Count,
                Images = prepared.Training.Samples.Count,
                HeldOut = prepared.HeldOut?.People ?? [],
                StepsPerEpoch = prepared.StepsPerEpoch,
            };
            TrainingState state = CreateState(info, device, owned);
            using RunLock runLock = RunLock.Acquire(folder);
            RequireFree(folder); // again, under the lock
            RunFolder.WriteInfo(folder, info);
            return new Trainer(folder, info, prepared, state, device, fresh: true, owned);
        });
    }

    /// <summary>Resumes a run from its last checkpoint, or from its start if it has none.</summary>
    /// <param name="folder">The run folder.</param>
    /// <param name="data">The training set, which stays the caller's and must outlive the trainer; null to open the sets that the options name.</param>
    /// <param name="validation">The validation set to <paramref name="data"/>, or null; stays the caller's.</param>
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
    public static Trainer Resume(
        string folder,
        FaceDataset? data = null,
        FaceDataset? validation = null,
        Action<int>? hashed = null,
        TrainOptions? changed = null,
        IImageDecoder? decoder = null,
        CancellationToken cancellationToken = default)
    {
        _ = RunFolder.ReadInfo(folder); // A folder that is not a run is refused before a lock file is written to it.
        using RunLock runLock = RunLock.Acquire(folder);
        RunInfo stored = RunFolder.ReadInfo(folder);
        if (stored.SchemaVersion < RunInfo.CurrentSchemaVersion)
        {
            throw new UniFaceException(
                $"{folder} was started by an earlier version (UniFace {stored.ToolVersion}) with other random streams and cannot be resumed; train again.");
        }

        RunInfo info = stored with { Options = changed ?? stored.Options };
        info.Options.Validate();
        IReadOnlyList<string> changes = RunChanges.Between(stored.Options, info.Options);
        Device device = OpenDevice(info.Options.Device);
        return Build(owned =>
        {
            (FaceDataset training, FaceDataset? validated) = OpenData(info.Options, data, validation, owned);
            string hash = training.ComputeHash((_, _) => hashed?.Invoke(1), cancellationToken);
            if (hash != info.DataHash)
            {
                throw new UniFaceException(
                    $"{training.Source} has changed since {folder} was started (its hash is {hash[..12]}, run.json says " +
                    $"{info.DataHash[..Math.Min(12, info.DataHash.Length)]}). Restore the images, or start a new run.");
            }

            TrainingData prepared = TrainingData.Create(info.Options, training, validated, decoder ?? new SkiaImageDecoder());
            if (prepared.Training.People.Count != info.People || prepared.StepsPerEpoch != info.StepsPerEpoch)
            {
                throw new UniFaceException(
                    $"{folder}: run.json says {info.People} people and {info.StepsPerEpoch} steps per epoch, but the data and options give " +
                    $"{prepared.Training.People.Count} and {prepared.StepsPerEpoch}; run.json was edited, or another version wrote it.");
            }

            TrainingState state = CreateState(info, device, owned);
            string last = Path.Combine(folder, RunFolder.LastFile);
            bool fresh = !File.Exists(last);
            if (!fresh)
            {
                state.Load(last);
            }
            else if (File.Exists(Path.Combine(folder, RunFolder.PreviousFile)))
            {
                throw new UniFaceException(
                    $"{last} is missing. The checkpoint before it is {RunFolder.PreviousFile}: rename it to {RunFolder.LastFile} to resume from " +
                    "there, or train in another folder.");
            }

            string[] noted = [.. changes.Select(change => $"step {state.Step}: {change}")];
            return new Trainer(folder, info with { Changes = [.. stored.Changes, .. noted] }, prepared, state, device, fresh, owned, changes);
        });
    }

    /// <summary>Trains to the end.</summary>
    /// <param name="events">Called while training.</param>
    /// <param name="cancellationToken">Saves a checkpoint and throws <see cref="OperationCanceledException"/>.</param>
    /// <returns>The run, with its result.</returns>
    /// <exception cref="UniFaceException">
    /// A loss, gradient or weight is not finite, or an image cannot be read; the last checkpoint is good. Or another process trains the run.
    /// </exception>
    public TrainingRun Run(TrainingEvents? events = null, CancellationToken cancellationToken = default)
    {
        events ??= new TrainingEvents();
        using RunLock runLock = RunLock.Acquire(folder);
        if (ReadPosition() != resumedFrom)
        {
            throw new UniFaceException($"{folder} was trained by another process in the meantime; open it again.");
        }

        Action<string> logWarning = message => Log(RunEvent.Warning, message);
        events = events with { Warning = logWarning + events.Warning };
        if (changes.Count > 0)
        {
            RunFolder.WriteInfo(folder, Info);
        }

        string changed = string.Concat(changes.Select(change => ", with " + change));
        Log(RunEvent.Started, fresh ? "started" : $"resumed from step {state.Step}{changed}");
        try
        {
            TrainResult result = loop.Run(events, cancellationToken);
            Log(RunEvent.Finished, FormattableString.Invariant($"finished: {result.Epochs} epochs, loss {result.Loss:F4}"));
            return new TrainingRun(folder, Info, result);
        }
        catch (OperationCanceledException)
        {
            Log(RunEvent.Stopped, $"stopped and saved at step {state.Step}");
            throw;
        }
        catch (Exception e)
        {
            Log(RunEvent.Failed, e.Message.ReplaceLineEndings("\n").Split('\n', 2)[0]); // libtorch appends a stack trace
            throw;
        }
        finally
        {
            resumedFrom = ReadPosition();
        }
    }

    /// <summary>Disposes the weights, the state and the data sets that the trainer opened.</summary>
    public void Dispose() => Dispose(owned);

    private static void Dispose(IReadOnlyCollection<IDisposable> parts)
    {
        foreach (IDisposable part in parts)
        {
            part.Dispose();
        }
    }

    /// <summary>Builds a trainer from parts that it owns; they are disposed, the newest first, with it or if it cannot be built.</summary>
    private static Trainer Build(Func<Stack<IDisposable>, Trainer> create)
    {
        Stack<IDisposable> owned = [];
        try
        {
            return create(owned);
        }
        catch
        {
            Dispose(owned);
            throw;
        }
    }

    /// <summary>The caller's data sets, or those that the options name.</summary>
    private static (FaceDataset Training, FaceDataset? Validation) OpenData(
        TrainOptions options, FaceDataset? data, FaceDataset? validation, Stack<IDisposable> owned)
    {
        if (data is not null)
        {
            return (data, validation);
        }

        owned.Push(data = options.OpenData());
        validation = options.OpenValidation();
        if (validation is not null)
        {
            owned.Push(validation);
        }

        return (data, validation);
    }

    private static TrainingState CreateState(RunInfo info, Device device, Stack<IDisposable> owned)
    {
        TrainOptions options = info.Options;
        set_num_threads(options.Threads);
        TrainingState state = new(options, options.CreateBackbone(device), options.CreateHead(info.People, device), device) { RunId = info.Id };
        owned.Push(state);
        return state;
    }

    private static void RequireFree(string folder)
    {
        string[] checkpoints = [RunFolder.LastFile, RunFolder.PreviousFile];
        if (RunFolder.Exists(folder) && checkpoints.Any(name => File.Exists(Path.Combine(folder, name))))
        {
            throw new UniFaceException($"{folder} holds a run already: resume it, or train in another folder.");
        }
    }

    /// <summary>The hash of the training set; refuses a validation set that shares people or images with it.</summary>
    private static string HashWithoutOverlap(
        FaceDataset validation, FaceDataset data, FaceDataset trained, Action<int>? hashed, CancellationToken cancellationToken)
    {
        TrainingFingerprint validated = new();
        _ = validation.ComputeHash((i, encoded) => validated.Add(validation.People[validation.Samples[i].Label], encoded), cancellationToken);
        HashSet<string> names = [.. trained.Samples.Select(s => s.Name)];
        (string hash, OverlapFound? overlap) = OverlapCheck.Read(data, validated, sample => names.Contains(sample.Name), hashed, cancellationToken);
        return overlap is null
            ? hash
            : throw new UniFaceException(string.Create(
                CultureInfo.InvariantCulture,
                $"{validation.Source} has {overlap.Pictures} of the {trained.Samples.Count} " +
                $"training pictures and {overlap.People} of the {trained.People.Count} people by name, e.g. {overlap.Example}: a validation on " +
                $"training data says nothing about strangers; validate on other people, or hold some out of the training set."));
    }

    private static Device OpenDevice(string name)
    {
        try
        {
            Device device = new(name);
            using Tensor probe = ones(1).to(device);
            return device;
        }
        catch (Exception e) when (e is ArgumentException or ExternalException or InvalidOperationException or FormatException)
        {
            throw new UniFaceException(
                $"The device {name} cannot be used ({e.Message.Split('\n')[0]}); expected cpu, cuda, cuda:N or mps, and a build with " +
                "-p:TorchDevice=cuda for cuda.",
                e);
        }
    }

    private void Log(RunEvent kind, string message) =>
        RunEventLog.Add(folder, new RunNote(DateTime.UtcNow, state.Step, state.Epoch, kind, message));

    private (string? Info, DateTime Checkpoint) ReadPosition()
    {
        string path = Path.Combine(folder, RunFolder.InfoFile);
        return (File.Exists(path) ? File.ReadAllText(path) : null, File.GetLastWriteTimeUtc(Path.Combine(folder, RunFolder.LastFile)));
    }
}
