using UniFace.Data.Identity;

namespace UniFace.Training.Loop;

/// <summary>A run that is ready to train.</summary>
/// <param name="Folder">The run folder.</param>
/// <param name="Info">The description of the run.</param>
/// <param name="Data">The data of the run.</param>
/// <param name="State">The state of the run, loaded from its last checkpoint if there is one.</param>
/// <param name="Device">The device that trains.</param>
/// <param name="Fresh">True: the run has no checkpoint yet.</param>
/// <param name="Owned">The state and the data sets that the run opened, in the order in which they are disposed.</param>
internal sealed record PreparedRun(
    string Folder, RunInfo Info, TrainingData Data, TrainingState State, Device Device, bool Fresh, IReadOnlyCollection<IDisposable> Owned) : IDisposable
{
    /// <summary>The options that were changed when the run was resumed, each as "threads 2 to 4"; not yet written to run.json.</summary>
    public IReadOnlyList<string> Changes { get; init; } = [];

    /// <summary>The whole training set, with the people held out.</summary>
    public FaceDataset Whole { get; init; } = Data.Training;

    /// <summary>The images of the validation set, which must not be trained on; null if that was checked before the run.</summary>
    public TrainingFingerprint? Validated { get; init; }

    /// <summary>The position of the folder when the run was prepared, under its lock.</summary>
    public RunPosition Position { get; } = RunPosition.Read(Folder);

    /// <summary>Disposes the parts that the run owns.</summary>
    public void Dispose() => Dispose(Owned);

    /// <summary>Disposes parts in their order.</summary>
    public static void Dispose(IEnumerable<IDisposable> parts)
    {
        foreach (IDisposable part in parts)
        {
            part.Dispose();
        }
    }
}

/// <summary>Checks the options and the data of a run and builds its state, for a new run or from its last checkpoint.</summary>
/// <param name="folder">The run folder.</param>
/// <param name="data">The training set, not disposed; null to open the sets that the options name.</param>
/// <param name="validation">The validation set to <paramref name="data"/>, not disposed; null for none.</param>
/// <param name="hashed">Called with the number of images hashed, from several threads.</param>
/// <param name="decoder">Decodes the images; null for Skia.</param>
/// <param name="communicator">The processes that train together. Every rank prepares its part; rank 0 alone reads all images and writes files.</param>
/// <param name="cancellationToken">Stops the hashing.</param>
internal sealed class RunPreparation(
    string folder,
    FaceDataset? data,
    FaceDataset? validation,
    Action<int>? hashed,
    IImageDecoder? decoder,
    ICommunicator communicator,
    CancellationToken cancellationToken)
{
    /// <summary>
    /// A set of this many images is compared with the validation set before the run starts; a larger one as the first epoch reads it.
    /// </summary>
    private const int MostComparedAtStart = 100_000;

    private readonly CheckpointStore checkpoints = new(folder);
    private readonly Stack<IDisposable> owned = []; // disposed from the newest to the oldest

    /// <summary>Prepares a new run and writes run.json. A run that ended before its first checkpoint is replaced.</summary>
    /// <exception cref="UniFaceException">The folder holds a run already, or the options or the data are not fit for training.</exception>
    public PreparedRun Create(TrainOptions options)
    {
        return DisposeIfFailed(() =>
        {
            (TrainingData prepared, Device device, string found, string read, TrainingFingerprint? validated) = Agreement.Require(communicator, () =>
            {
                options.Validate();
                RequireSupported(options);
                options = options with { Teacher = options.Teacher is null ? null : Teacher.Resolve(options.Teacher) };
                RequireFree();
                Device opened = DeviceProof.Open(options.Device);
                OpenData(options);
                TrainingData ready = Prepare(options);
                (string hash, TrainingFingerprint? unread) = IsFirst ? RequireOtherPeople(ready.Training) : (RunInfo.Incomplete, null);
                return (ready, opened, DatasetFingerprint.Compute(data!), hash, unread);
            });
            string[] shared = communicator.Broadcast($"{Guid.NewGuid():N} {read} {found}").Split(' ');
            validated = SharedFingerprint.BroadcastIfAny(communicator, validated);
            RunInfo info = new()
            {
                Id = shared[0],
                ToolVersion = ToolVersion.Current,
                Started = DateTime.UtcNow,
                Options = options,
                DataHash = shared[1],
                DataFingerprint = shared[2],
                People = prepared.Training.People.Count,
                Images = prepared.Training.Samples.Count,
                HeldOut = prepared.HeldOut?.People ?? [],
                StepsPerEpoch = prepared.StepsPerEpoch,
            };
            TrainingState state = Agreement.Require(communicator, () =>
            {
                RequireSameData(found, info);
                return CreateState(info, device);
            });
            if (IsFirst)
            {
                using RunLock runLock = RunLock.Acquire(folder);
                RequireFree(); // again, under the lock
                RunFolder.WriteInfo(folder, info);
            }

            communicator.Barrier();
            return new PreparedRun(folder, info, prepared, state, device, Fresh: true, owned) { Whole = data!, Validated = validated };
        });
    }

    /// <summary>
    /// Prepares a run to continue from its last checkpoint, or from its start if it has none. The caller, or that of rank 0, holds the lock of the run.
    /// </summary>
    /// <param name="changed">The options with allowed changes; null for the options of the run.</param>
    /// <exception cref="UniFaceException">
    /// There is no run, its checkpoint is damaged, it was written by an earlier version, the data has changed, or a change is not allowed.
    /// </exception>
    public PreparedRun Resume(TrainOptions? changed)
    {
        RunInfo stored = RunFolder.ReadInfo(folder);
        if (stored.SchemaVersion < RunInfo.CurrentSchemaVersion)
        {
            throw new UniFaceException(
                $"{folder} was started by an earlier version (UniFace {stored.ToolVersion}) with other random streams and cannot be resumed; train again.");
        }

        RunInfo info = stored with { Options = changed ?? stored.Options };
        return DisposeIfFailed(() =>
        {
            TrainingFingerprint? validated = null;
            (IReadOnlyList<string> changes, TrainingData prepared, Device device, TrainingState state, string? last) = Agreement.Require(communicator, () =>
            {
                info.Options.Validate();
                RequireSupported(info.Options);
                IReadOnlyList<string> differences = RunChanges.Between(stored.Options, info.Options);
                Device opened = DeviceProof.Open(info.Options.Device);
                OpenData(info.Options);
                RequireUnchanged(info);
                validated = !IsFirst || info.HasDataHash || validation is null ? null : Fingerprint(validation);
                TrainingData ready = Prepare(info.Options);
                RequireSameSizes(info, ready);
                TrainingState created = CreateState(info, opened);
                string? checkpoint = checkpoints.FindLast();
                if (checkpoint is not null)
                {
                    created.Load(checkpoint);
                }

                return (differences, ready, opened, created, checkpoint);
            });

            string[] noted = [.. changes.Select(change => $"step {state.Step}: {change}")];
            info = info with { Changes = [.. stored.Changes, .. noted] };
            return new PreparedRun(folder, info, prepared, state, device, last is null, owned)
            {
                Whole = data!,
                Validated = SharedFingerprint.BroadcastIfAny(communicator, validated),
                Changes = changes,
            };
        });
    }

    private PreparedRun DisposeIfFailed(Func<PreparedRun> prepare)
    {
        try
        {
            return prepare();
        }
        catch
        {
            PreparedRun.Dispose(owned);
            throw;
        }
    }

    /// <summary>Opens the sets that the options name, unless the caller has given others.</summary>
    private void OpenData(TrainOptions options)
    {
        if (data is null)
        {
            owned.Push(data = options.OpenData());
            validation = options.OpenValidation();
            if (validation is not null)
            {
                owned.Push(validation);
            }
        }
    }

    private TrainingData Prepare(TrainOptions options) => TrainingData.Create(
        options, data!, validation, decoder ?? new SkiaImageDecoder(), owned, communicator: communicator.Size == 1 ? null : communicator);

    private TrainingState CreateState(RunInfo info, Device device)
    {
        TrainOptions options = info.Options;
        set_num_threads(options.Threads);
        Backbone backbone = options.CreateBackbone(device, communicator);
        TrainingState state = new(options, backbone, options.CreateHead(info.People, device, communicator), device, communicator) { RunId = info.Id };
        owned.Push(state);
        foreach (NamedParameter parameter in state.Parameters)
        {
            DeviceProof.RequireOn(parameter.Value, device, $"moving {parameter.Name}");
        }

        return state;
    }

    private bool IsFirst => communicator.Rank == 0;

    /// <summary>Refuses what several processes cannot do.</summary>
    private void RequireSupported(TrainOptions options)
    {
        if (communicator.Size == 1)
        {
            return;
        }

        string? unsupported = options.Teacher is not null ? "a teacher"
            : options.FineTune is not null ? "fine-tuning"
            : options.SyncBatchNorm && options.Device != "cpu" ? $"synchronized batch norm on {options.Device}"
            : null;
        if (unsupported is not null)
        {
            throw new UniFaceException($"{unsupported} is not supported with several processes ({communicator.Size}); start one process.");
        }

        if (options.Batch < communicator.Size)
        {
            throw new UniFaceException($"a batch of {options.Batch} images is too small for {communicator.Size} processes; each needs at least one image.");
        }
    }

    private void RequireFree()
    {
        if (IsFirst && RunFolder.Exists(folder) && checkpoints.HasAny)
        {
            throw new UniFaceException($"{folder} holds a run already: resume it, or train in another folder.");
        }
    }

    private void RequireSameData(string found, RunInfo info)
    {
        if (found != info.DataFingerprint)
        {
            throw new UniFaceException(
                $"{data!.Source} is not the data of rank 0 (its fingerprint is {found[..12]}, there it is {info.DataFingerprint![..12]}); all processes " +
                "must read the same data.");
        }
    }

    private void RequireUnchanged(RunInfo info)
    {
        // Runs from before fingerprints are compared by all contents, which one rank reads.
        if (info.DataFingerprint is null && !IsFirst)
        {
            return;
        }

        (string what, string found, string stored) = info.DataFingerprint is string fingerprint
            ? ("fingerprint", DatasetFingerprint.Compute(data!), fingerprint)
            : ("hash", data!.ComputeHash((_, _) => hashed?.Invoke(1), cancellationToken), info.DataHash);
        if (found != stored)
        {
            throw new UniFaceException(
                $"{data!.Source} has changed since {folder} was started (its {what} is {found[..12]}, run.json says " +
                $"{stored[..Math.Min(12, stored.Length)]}). Restore the images, or start a new run.");
        }
    }

    private void RequireSameSizes(RunInfo info, TrainingData prepared)
    {
        if (prepared.Training.People.Count != info.People || prepared.StepsPerEpoch != info.StepsPerEpoch)
        {
            throw new UniFaceException(
                $"{folder}: run.json says {info.People} people and {info.StepsPerEpoch} steps per epoch, but the data and options give " +
                $"{prepared.Training.People.Count} and {prepared.StepsPerEpoch}; run.json was edited, or another version wrote it.");
        }
    }

    private TrainingFingerprint Fingerprint(FaceDataset set)
    {
        TrainingFingerprint fingerprint = new();
        _ = set.ComputeHash((i, encoded) => fingerprint.Add(set.NameOf(set.LabelOf(i)), encoded), cancellationToken);
        return fingerprint;
    }

    /// <summary>
    /// Refuses a validation set that shares people or images with the training set. Contents of a large set are compared while it trains.
    /// </summary>
    /// <returns>The hash of the training set if all of it was read, and the fingerprint to compare contents with, if they were not.</returns>
    private (string Hash, TrainingFingerprint? Validated) RequireOtherPeople(FaceDataset trained)
    {
        if (validation is null)
        {
            return (RunInfo.Incomplete, null);
        }

        TrainingFingerprint fingerprint = Fingerprint(validation);
        if (data!.Samples.Count > MostComparedAtStart)
        {
            string[] shared = [.. trained.People.Select((_, label) => trained.NameOf(label)).Where(fingerprint.HasPerson)];
            return shared.Length == 0 ? (RunInfo.Incomplete, fingerprint) : throw Overlap(new OverlapFound(0, shared.Length, shared[0]));
        }

        HashSet<string> names = [.. trained.Samples.Select(s => s.Name)];
        (string hash, OverlapFound? overlap) = OverlapCheck.Read(data, fingerprint, sample => names.Contains(sample.Name), hashed, cancellationToken);
        return overlap is null ? (hash, null) : throw Overlap(overlap);

        UniFaceException Overlap(OverlapFound found) => new(string.Create(
            CultureInfo.InvariantCulture,
            $"{validation.Source} has {found.Images} of the {trained.Samples.Count} " +
            $"training images and {found.People} of the {trained.People.Count} people by name, e.g. {found.Example}: a validation on " +
            $"training data says nothing about strangers; validate on other people, or hold some out of the training set."));
    }
}
