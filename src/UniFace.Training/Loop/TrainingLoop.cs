namespace UniFace.Training.Loop;

/// <summary>Trains from the state's position to the end of the run: epochs, steps, validation, metrics and checkpoints.</summary>
/// <param name="folder">The run folder.</param>
/// <param name="info">The run.</param>
/// <param name="data">Its data.</param>
/// <param name="state">Its state; stays the caller's.</param>
/// <param name="device">The device that trains.</param>
/// <param name="fresh">True: the run has no checkpoint yet.</param>
internal sealed class TrainingLoop(string folder, RunInfo info, TrainingData data, TrainingState state, Device device, bool fresh)
{
    private readonly TrainOptions options = info.Options;
    private readonly LearningRateSchedule schedule = new(
        info.Options.Schedule,
        info.Options.LearningRate,
        TotalSteps(info),
        (long)Math.Round(info.Options.Warmup * info.StepsPerEpoch),
        info.Options.Power,
        [.. info.Options.Steps.Select(epoch => (long)Math.Round(epoch * info.StepsPerEpoch))]);

    private readonly TrainingFingerprint fingerprint = ReadFingerprint(folder, fresh);
    private readonly Stopwatch training = new();
    private TrainingEvents events = new();
    private long imagesTrained;
    private long checkpointStep = state.Step;
    private int savedFingerprintCount = -1;

    private double Rate => imagesTrained > 0 ? imagesTrained / training.Elapsed.TotalSeconds : 0;

    /// <summary>Optimizer steps of the whole run.</summary>
    public static long TotalSteps(RunInfo info) => (long)info.Options.Epochs * info.StepsPerEpoch;

    /// <summary>Trains to the end. Saves a checkpoint if it is canceled.</summary>
    public TrainResult Run(TrainingEvents listeners, CancellationToken cancellationToken)
    {
        events = listeners;
        set_num_threads(options.Threads);
        data.Loader.FirstRead = (i, encoded) => fingerprint.Add(data.Training.People[data.Training.Samples[i].Label], encoded);
        using MetricsLog log = new(folder, state.Step, fresh ? -1 : state.Epoch);
        foreach (string warning in data.Warnings)
        {
            events.Warning?.Invoke(warning);
        }

        if (!fingerprint.Complete)
        {
            events.Warning?.Invoke($"{TrainingFingerprint.FileName} is incomplete, because it was missing or damaged when the run was resumed; " +
                "'uniface eval' cannot find every overlap with the training data");
        }

        if (fresh)
        {
            EpochMetrics before = CosineProbe.Run(state, data, device, schedule.At(0));
            log.Write(before);
            events.EpochEnded?.Invoke(before);
            Save();
        }

        TrainingStep step = new(options, schedule, state, device, data.Weights);
        while (state.Epoch < options.Epochs)
        {
            try
            {
                RunEpoch(step, log, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                Save();
                throw;
            }

            EndEpoch(log, cancellationToken);
        }

        return new TrainResult(folder, state.Epoch, state.Step, Rate, state.EpochLosses.LastOrDefault(), state.WeightsSha256())
        {
            HeldOut = info.HeldOut.Count,
        };
    }

    private void RunEpoch(TrainingStep step, MetricsLog log, CancellationToken cancellationToken)
    {
        Stopwatch window = Stopwatch.StartNew();
        training.Start();
        long windowImages = 0;
        List<TrainingBatch> group = [];
        try
        {
            foreach (TrainingBatch batch in data.Loader.Read(state.Epoch, state.Batch, cancellationToken))
            {
                group.Add(batch);
                bool last = state.Batch + group.Count == data.Loader.BatchesPerEpoch;
                if (group.Count < options.Accumulate && !last)
                {
                    continue;
                }

                if (step.Run(group) is string nonFinite)
                {
                    throw NonFinite(nonFinite, group);
                }

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

                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            Release(group);
            training.Stop();
        }
    }

    private void EndEpoch(MetricsLog log, CancellationToken cancellationToken)
    {
        bool validates = data.Validator is not null && ((state.Epoch + 1) % options.ValidateEvery == 0 || state.Epoch + 1 == options.Epochs);
        if (validates)
        {
            Save(); // If the process ends while it validates, the resumed run validates first.
        }

        ValidationMetrics? validation = validates ? Validate(cancellationToken) : null;
        RunningStatistics sums = state.EpochSums;
        state.EpochLosses.Add(sums.Loss);
        state.Epoch++;
        state.Batch = 0;
        state.EpochSums = new RunningStatistics();

        // The later of equals is better, because it has been trained on more images.
        if (validation is not null && !(validation.TarAtFar < state.Best))
        {
            state.Best = validation.TarAtFar;
            state.Save(Path.Combine(folder, RunFolder.BestFile), resumable: false);
        }

        EpochMetrics row = EpochMetrics.From(sums, state, schedule.At(state.Step - 1)) with { ImagesPerSecond = Rate, Validation = validation };
        log.Write(row);
        Save();
        events.EpochEnded?.Invoke(row);
        if (PlateauWatch.Warning(state.EpochLosses, sums, row.Lr / Math.Max(options.LearningRate, 1e-300), options) is string warning)
        {
            events.Warning?.Invoke(warning);
        }
    }

    private ValidationMetrics Validate(CancellationToken cancellationToken)
    {
        state.Average?.Swap();
        try
        {
            using BackboneEmbedder embedder = new(state.Backbone, ownsBackbone: false);
            return data.Validator!.Run(embedder, cancellationToken);
        }
        finally
        {
            state.Average?.Swap();
        }
    }

    private void WriteStep(MetricsLog log, double imagesPerSecond)
    {
        StepMetrics row = StepMetrics.From(state, schedule.At(state.Step - 1), imagesPerSecond);
        state.Window = new RunningStatistics();
        log.Write(row);
        double images = (double)(TotalSteps(info) - state.Step) * options.Batch * options.Accumulate;
        TimeSpan left = TimeSpan.FromSeconds(Math.Min(images * training.Elapsed.TotalSeconds / imagesTrained, 1e9));
        events.Progress?.Invoke(new TrainProgress(row, TotalSteps(info), options.Epochs, left));
    }

    private void Save()
    {
        if (NonFiniteCheck.BadWeights(state.Parameters) is string nonFinite)
        {
            throw NonFinite(nonFinite, []);
        }

        if (fingerprint.Count is int count && count != savedFingerprintCount)
        {
            // Before the checkpoint, which must never have learned from an image that the fingerprint does not contain.
            fingerprint.Save(Path.Combine(folder, TrainingFingerprint.FileName));
            savedFingerprintCount = count;
        }

        string last = Path.Combine(folder, RunFolder.LastFile);
        if (File.Exists(last))
        {
            string next = Path.Combine(folder, "next.ckpt");
            state.Save(next, resumable: true);
            File.Replace(next, last, Path.Combine(folder, RunFolder.PreviousFile)); // last.ckpt exists at every moment.
            AtomicFile.FlushFolder(folder);
        }
        else
        {
            state.Save(last, resumable: true);
        }

        checkpointStep = state.Step;
    }

    private UniFaceException NonFinite(string what, List<TrainingBatch> group) => NonFiniteCheck.Error(
        what,
        state.Step,
        state.Epoch,
        options,
        group.SelectMany(b => b.Samples).Select(i => data.Training.Samples[i].Name),
        checkpointStep);

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
