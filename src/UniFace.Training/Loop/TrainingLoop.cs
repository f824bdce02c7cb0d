namespace UniFace.Training.Loop;

/// <summary>Trains from the state's position to the end of the run: epochs, steps, validation, metrics and checkpoints.</summary>
/// <param name="run">The run. Not disposed.</param>
internal sealed class TrainingLoop(PreparedRun run)
{
    private readonly TrainOptions options = run.Info.Options;
    private readonly TrainingData data = run.Data;
    private readonly TrainingState state = run.State;
    private readonly CheckpointStore checkpoints = new(run.Folder, run.Info.Options.Keep);
    private readonly ICommunicator communicator = run.State.Communicator;
    private readonly LearningRateSchedule schedule = new(
        run.Info.Options.Schedule,
        run.Info.Options.LearningRate,
        TotalSteps(run.Info),
        (long)Math.Round(run.Info.Options.Warmup * run.Info.StepsPerEpoch),
        run.Info.Options.Power,
        [.. run.Info.Options.Steps.Select(epoch => (long)Math.Round(epoch * run.Info.StepsPerEpoch))]);

    private TrainingFingerprint fingerprint = ReadFingerprint(run.Folder, run.Fresh);
    private readonly Stopwatch training = new();
    private RunDataHash? dataHash; // while it trains; null for a run that was started without a fingerprint of its data
    private TrainingEvents events = new();
    private RankWatch? watch;
    private long imagesTrained;
    private long checkpointStep = run.State.Step;
    private int savedFingerprintCount = -1;

    private bool IsFirst => communicator.Rank == 0;

    /// <summary>The description of the run.</summary>
    public RunInfo Info { get; private set; } = run.Info;

    private double Rate => imagesTrained > 0 ? imagesTrained / training.Elapsed.TotalSeconds : 0;

    /// <summary>Optimizer steps of the whole run.</summary>
    public static long TotalSteps(RunInfo info) => (long)info.Options.Epochs * info.StepsPerEpoch;

    /// <summary>Trains to the end. Saves a checkpoint if it is canceled.</summary>
    /// <exception cref="UniFaceException">A loss, gradient or weight is not finite, or an image cannot be read.</exception>
    public TrainResult Run(TrainingEvents listeners, CancellationToken cancellationToken)
    {
        try
        {
            dataHash = RunDataHash.Open(run.Folder, Info, run.Whole, run.Fresh, communicator);
            if (IsFirst)
            {
                checkpoints.DeleteUnfinished();
            }

            using RankWatch? watching = watch = RankWatch.Start(communicator, run.Folder);
            watch?.SetBusy("preparing");
            TrainResult result = Train(listeners, cancellationToken);
            watch?.Complete();
            return result;
        }
        catch (NonFiniteException e)
        {
            if (e.Samples.Count > 0)
            {
                MpiJob.EndTogether(communicator); // Found in sums over all ranks, so that each of them has.
            }

            throw Diverged(e);
        }
        catch (Exception e) when (communicator.Size > 1 && e is not OperationCanceledException)
        {
            string message = AtomicFile.IsTooLarge(e) ? $"{run.Folder}: {AtomicFile.TooLarge}; make room, and resume the run"
                : e is UniFaceException or IOException or UnauthorizedAccessException ? e.Message
                : e.ToString();
            throw new UniFaceException($"rank {communicator.Rank}: {message}", e);
        }
        finally
        {
            dataHash?.Dispose();
            dataHash = null;
        }
    }

    private TrainResult Train(TrainingEvents listeners, CancellationToken cancellationToken)
    {
        events = listeners;
        set_num_threads(options.Threads);
        fingerprint = SharedFingerprint.Share(communicator, fingerprint);
        data.Loader.FirstRead = OnFirstRead;
        using MetricsLog? log = !IsFirst ? null : new(run.Folder, state.Step, run.Fresh ? -1 : state.Epoch);
        foreach (string warning in data.Warnings)
        {
            events.Warning?.Invoke(warning);
        }

        if (options.Precision == Precision.Float16 && run.Device.type == DeviceType.CPU)
        {
            events.Warning?.Invoke("the precision float16 is emulated on the CPU and slower than float32; it is fast on a GPU");
        }

        if (OneDnn.IsDisabled && run.Device.type == DeviceType.CPU)
        {
            events.Warning?.Invoke("oneDNN computes wrong convolutions on this machine; libtorch's own are used, which are slower");
        }

        if (!fingerprint.Complete)
        {
            events.Warning?.Invoke($"{TrainingFingerprint.FileName} is incomplete, because it was missing or damaged when the run was resumed; " +
                "an evaluation cannot find every overlap with the training data");
        }

        data.Prepare(events, keepClean: options.FineTune is not null && run.Fresh, cancellationToken);
        if (run.Fresh)
        {
            WarmUp(cancellationToken);
            EpochMetrics before = CosineProbe.Run(options, state, data, run.Device, schedule.At(0));
            log?.Write(before);
            events.EpochEnded?.Invoke(before);
            Save();
        }

        if (state.Epoch > 0 && !Info.HasDataHash)
        {
            CompleteDataHash(cancellationToken); // The run was stopped in between.
        }

        IReadOnlyList<(long Calls, long Bytes)> sent = communicator.Counters.Snapshot();
        long firstStep = state.Step;
        using TrainingStep step = new(options, schedule, state, run.Device, data.Weights);
        while (state.Epoch < options.Epochs)
        {
            try
            {
                RunEpoch(step, log, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                Save();
                MpiJob.EndTogether(communicator);
                watch?.Complete();
                throw;
            }

            EndEpoch(log, cancellationToken);
            CompleteDataHash(cancellationToken);
        }

        CompleteDataHash(cancellationToken);
        string? traffic = communicator.Size > 1 && state.Step > firstStep ? communicator.Counters.Describe(sent, state.Step - firstStep) : null;
        return new TrainResult(run.Folder, state.Epoch, state.Step, Rate, state.EpochLosses.LastOrDefault(), state.WeightsSha256())
        {
            HeldOut = run.Info.HeldOut.Count,
            Ranks = communicator.Size,
            Traffic = traffic,
        };
    }

    /// <summary>Called from several threads when a sample is first read.</summary>
    private void OnFirstRead(int sample, byte[] encoded)
    {
        byte[] sha256 = SHA256.HashData(encoded);
        dataHash?.Add(data.Training.WholeIndexOf(sample), sha256);
        if (run.Validated?.HasImage(encoded) == true)
        {
            throw new UniFaceException(
                $"{data.Training.Source}: {data.Training.Samples[sample].Name} is also in the validation set {options.Validation}: a validation on " +
                "training data says nothing about strangers; validate on other people, or hold some out of the training set, in a new run.");
        }

        fingerprint.Add(data.Training.NameOf(data.Training.LabelOf(sample)), encoded, sha256);
    }

    /// <summary>Completes the hash of the data when the first epoch has read it.</summary>
    private void CompleteDataHash(CancellationToken cancellationToken)
    {
        if (IsFirst)
        {
            watch?.SetBusy("hashing the data");
        }

        Info = dataHash?.Complete(Info, (done, missing) => events.Preparing?.Invoke("hash of the data", done, missing), cancellationToken) ?? Info;
    }

    /// <summary>The weights of a run that does not start from random ones.</summary>
    private void WarmUp(CancellationToken cancellationToken)
    {
        if (options.FineTune is not null)
        {
            WarmStart.Run(options.FineTune, state.Backbone, state.Head, data.Training, data.Loader.Load, data.Teacher?.Clean, cancellationToken);
        }
        else if (options.Teacher is { Start: StudentStart.Narrowed } teacher)
        {
            Narrowing.Run(teacher, data.Teacher!.Projection, state.Backbone, data.Training.Samples.Count, data.Loader.Load, cancellationToken);
        }
        else
        {
            return;
        }

        state.Average?.Restore(state.Backbone.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter));
    }

    private void RunEpoch(TrainingStep step, MetricsLog? log, CancellationToken cancellationToken)
    {
        Stopwatch window = Stopwatch.StartNew();
        training.Start();
        watch?.SetBusy(null);
        long windowImages = 0;
        List<TrainingBatch> group = [];

        // Several processes stop after the same step: each tells the others in the step, see HeadExchange.Stop.
        HeadExchange? exchange = state.Head.Exchange;
        CancellationToken stopsReading = exchange is null ? cancellationToken : CancellationToken.None;
        try
        {
            foreach (TrainingBatch batch in data.Loader.Read(state.Epoch, state.Batch, stopsReading))
            {
                group.Add(batch);
                bool last = state.Batch + group.Count == data.Loader.BatchesPerEpoch;
                if (group.Count < options.Accumulate && !last)
                {
                    continue;
                }

                if (exchange is not null)
                {
                    exchange.Stop = cancellationToken.IsCancellationRequested;
                }

                step.Run(group);
                watch?.StepDone();
                int images = group.Sum(b => b.Samples.Count);
                imagesTrained += images;
                windowImages += images;
                state.Batch += group.Count;
                Release(group);
                if (state.Step % options.LogEvery == 0)
                {
                    WriteStep(log, windowImages / window.Elapsed.TotalSeconds);
                    windowImages = 0;
                    window.Restart();
                }

                if (options.CheckpointEvery > 0 && state.Step % options.CheckpointEvery == 0 && !last)
                {
                    Save();
                }

                if (exchange?.AnyStop ?? cancellationToken.IsCancellationRequested)
                {
                    throw new OperationCanceledException(cancellationToken);
                }
            }
        }
        finally
        {
            Release(group);
            training.Stop();
        }
    }

    private void EndEpoch(MetricsLog? log, CancellationToken cancellationToken)
    {
        bool validates = data.Validates && ((state.Epoch + 1) % options.ValidateEvery == 0 || state.Epoch + 1 == options.Epochs);
        if (validates)
        {
            Save(); // If the process ends while it validates, the resumed run validates first.
        }

        ValidationMetrics? validation = validates ? Validate(cancellationToken) : null;
        state.CollectStatistics();
        RunningStatistics sums = state.EpochSums;
        state.EpochLosses.Add(sums.Loss);
        state.Epoch++;
        state.Batch = 0;
        state.EpochSums = new RunningStatistics();

        // On a tie the later weights win: they have seen more images.
        if (validation is not null && !(validation.TarAtFar < state.Best))
        {
            state.Best = validation.TarAtFar;
            state.Save(Path.Combine(run.Folder, RunFolder.BestFile), resumable: false);
        }

        EpochMetrics row = EpochMetrics.From(sums, state, schedule.At(state.Step - 1)) with { ImagesPerSecond = Rate, Validation = validation };
        log?.Write(row);
        Save();
        events.EpochEnded?.Invoke(row);
        if (PlateauDetector.Warning(state.EpochLosses, sums, row.Lr / Math.Max(options.LearningRate, 1e-300), options) is string warning)
        {
            events.Warning?.Invoke(warning);
        }
    }

    /// <summary>Validates on rank 0; every rank has the result.</summary>
    private ValidationMetrics Validate(CancellationToken cancellationToken)
    {
        ValidationMetrics? found = null;
        if (IsFirst)
        {
            watch?.SetBusy("validating");
            state.Average?.Swap();
            try
            {
                using BackboneEmbedder embedder = new(state.Backbone, ownsBackbone: false);
                found = data.Validator!.Run(embedder, cancellationToken);
            }
            finally
            {
                state.Average?.Swap();
            }
        }

        double[] values = found is null ? new double[4] : [found.TarAtFar, found.Auc, found.Eer, found.Pairs];
        communicator.AllReduce(values, Reduction.Sum, Traffic.Other);
        return found ?? new ValidationMetrics(values[0], values[1], values[2], (long)values[3]);
    }

    private void WriteStep(MetricsLog? log, double imagesPerSecond)
    {
        state.CollectStatistics();
        StepMetrics row = StepMetrics.From(state, schedule.At(state.Step - 1), imagesPerSecond);
        state.Window = new RunningStatistics();
        log?.Write(row);
        double images = (double)(TotalSteps(run.Info) - state.Step) * options.Batch * options.Accumulate;
        TimeSpan remaining = TimeSpan.FromSeconds(Math.Min(images * training.Elapsed.TotalSeconds / imagesTrained, 1e9));
        events.Progress?.Invoke(new TrainProgress(row, TotalSteps(run.Info), options.Epochs, remaining));
    }

    private void Save()
    {
        watch?.SetBusy("saving a checkpoint");
        try
        {
            SaveNow();
        }
        catch (IOException e)
        {
            string good = checkpoints.HasAny ? $"That of step {checkpointStep} is good: make room, and resume the run." : "Make room, and start again.";
            throw new UniFaceException($"the checkpoint of step {state.Step} cannot be written: {e.Message.TrimEnd('.')}. {good}", e);
        }

        watch?.SetBusy(null);
    }

    private void SaveNow()
    {
        NonFiniteCheck.RequireFinite(state.Parameters);
        SharedFingerprint.Collect(communicator, fingerprint);
        if (IsFirst && fingerprint.Count is int count && count != savedFingerprintCount)
        {
            // Before the checkpoint, so that the fingerprint covers every image that a checkpoint has seen.
            fingerprint.Save(Path.Combine(run.Folder, TrainingFingerprint.FileName));
            savedFingerprintCount = count;
        }

        dataHash?.Commit();
        checkpoints.Save(path => state.Save(path, resumable: true), communicator);
        checkpointStep = state.Step;
    }

    private UniFaceException Diverged(NonFiniteException e)
    {
        const int shown = 8;
        string images = string.Join(", ", e.Samples.Take(shown).Select(i => data.Training.Samples[i].Name));
        string more = e.Samples.Count > shown ? $" and {e.Samples.Count - shown} more" : "";
        string precision = options.Precision == Precision.Float16 ? "Use precision bfloat16 or float32, or lower " : "Lower ";
        string[] advice = [.. options.Loss.HyperparametersToLower, FormattableString.Invariant($"learning rate (now {options.LearningRate})")];
        return new UniFaceException(
            $"step {state.Step + 1}, epoch {state.Epoch + 1}: {e.Message}; nothing after step {checkpointStep} was kept " +
            $"({RunFolder.LastFile} is good). {precision}the {string.Join(", ", advice)} or lengthen the warm-up, in a new run." +
            (e.Samples.Count > 0 ? $" Images of the batch: {images}{more}." : ""),
            e);
    }

    private static TrainingFingerprint ReadFingerprint(string folder, bool fresh)
    {
        try
        {
            return fresh ? new TrainingFingerprint() : RunFolder.LoadFingerprint(folder);
        }
        catch (UniFaceException)
        {
            return new TrainingFingerprint(complete: false);
        }
    }

    private static void Release(List<TrainingBatch> group)
    {
        foreach (TrainingBatch batch in group)
        {
            batch.Dispose();
        }

        group.Clear();
    }
}
