using System.Diagnostics;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Training.Checkpoints;
using UniFace.Training.Data;
using UniFace.Training.Optimization;
using static TorchSharp.torch;

namespace UniFace.Training;

/// <summary>
/// Trains a run to its end, from wherever it stands. A kill at any moment loses at most the steps since the last
/// checkpoint, and the run that goes on from it ends with the same bits as one that was never stopped.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly string folder;
    private readonly RunInfo info;
    private readonly TrainOptions options;
    private readonly TrainingData data;
    private readonly TrainingState state;
    private readonly TrainingFingerprint fingerprint;
    private readonly LearningRateSchedule schedule;
    private readonly TrainingStep step;
    private readonly Device device;
    private readonly bool fresh;
    private readonly IReadOnlyList<string> changes;
    private readonly Stopwatch training = new();
    private long imagesTrained;
    private long checkpointStep;
    private (string? Info, DateTime Checkpoint) begun; // run.json's text, and when the checkpoint was written, that this stands on
    private int fingerprintCount = -1;

    internal Trainer(string folder, RunInfo info, TrainingData data, TrainingState state, Device device, bool fresh, IReadOnlyList<string>? changes = null)
    {
        this.changes = changes ?? [];
        this.folder = folder;
        this.info = info;
        this.data = data;
        this.state = state;
        this.device = device;
        this.fresh = fresh;
        options = info.Options;
        schedule = new LearningRateSchedule(
            options.Schedule,
            options.LearningRate,
            TotalSteps,
            (long)Math.Round(options.Warmup * info.StepsPerEpoch),
            options.Power,
            [.. options.Steps.Select(epoch => (long)Math.Round(epoch * info.StepsPerEpoch))]);
        step = new TrainingStep(options, schedule, state, device, data.Weights);
        fingerprint = ReadFingerprint();
        data.Loader.FirstRead = (i, encoded) => fingerprint.Add(data.Training.People[data.Training.Samples[i].Label], encoded);
        checkpointStep = state.Step;
        begun = Standing();
    }

    /// <summary>What the run is.</summary>
    public RunInfo Info => info;

    /// <summary>Optimizer steps of the whole run.</summary>
    public long TotalSteps => (long)options.Epochs * info.StepsPerEpoch;

    /// <summary>Steps that are done.</summary>
    public long Step => state.Step;

    private double Rate => imagesTrained > 0 ? imagesTrained / training.Elapsed.TotalSeconds : 0;

    /// <summary>Trains to the end.</summary>
    /// <param name="events">What to tell while training.</param>
    /// <param name="cancellationToken">Saves a checkpoint and ends with <see cref="OperationCanceledException"/>.</param>
    /// <exception cref="UniFaceException">
    /// A loss, gradient or weight is not finite, or a picture cannot be read; the last checkpoint is good. Or another process trains the run.
    /// </exception>
    public TrainResult Run(TrainingEvents? events = null, CancellationToken cancellationToken = default)
    {
        events ??= new TrainingEvents();
        using RunClaim claim = RunClaim.Take(folder);
        if (Standing() != begun)
        {
            throw new UniFaceException($"{folder} was trained by another process meanwhile; go on from where it is now by 'uniface train --resume {folder}'.");
        }

        void Note(RunEvent kind, string message) => RunNotes.Add(folder, new RunNote(DateTime.UtcNow, state.Step, state.Epoch, kind, message));
        Action<string>? warning = events.Warning;
        events = events with { Warning = message => { Note(RunEvent.Warning, message); warning?.Invoke(message); } };
        if (changes.Count > 0)
        {
            TrainingRun.WriteInfo(folder, info);
        }

        string changed = string.Concat(changes.Select(change => ", with " + change));
        Note(RunEvent.Started, fresh ? "started" : FormattableString.Invariant($"goes on from step {state.Step}{changed}"));
        try
        {
            TrainResult result = Train(events, cancellationToken);
            Note(RunEvent.Finished, FormattableString.Invariant($"finished: {result.Epochs} epochs, loss {result.Loss:F4}"));
            return result;
        }
        catch (OperationCanceledException)
        {
            Note(RunEvent.Stopped, FormattableString.Invariant($"stopped and saved at step {state.Step}"));
            throw;
        }
        catch (Exception e)
        {
            Note(RunEvent.Failed, e.Message.ReplaceLineEndings("\n").Split('\n', 2)[0]); // libtorch's go on with a stack trace
            throw;
        }
        finally
        {
            begun = Standing();
        }
    }

    /// <summary>Disposes the weights and all that was made for the run; the data sets stay the caller's.</summary>
    public void Dispose() => state.Dispose();

    private (string? Info, DateTime Checkpoint) Standing()
    {
        string path = Path.Combine(folder, TrainingRun.InfoFile);
        return (File.Exists(path) ? File.ReadAllText(path) : null, File.GetLastWriteTimeUtc(Path.Combine(folder, TrainingRun.LastFile)));
    }

    private TrainResult Train(TrainingEvents events, CancellationToken cancellationToken)
    {
        set_num_threads(options.Threads);
        using MetricsLog log = new(Path.Combine(folder, TrainingRun.MetricsFile), state.Step, fresh ? -1 : state.Epoch);
        using TensorBoardLog board = new(Path.Combine(folder, TrainingRun.TensorBoardFolder));
        foreach (string warning in data.Warnings)
        {
            events.Warning?.Invoke(warning);
        }

        if (!fingerprint.Complete)
        {
            events.Warning?.Invoke($"{TrainingFingerprint.FileName} is incomplete: it was missing or damaged when the run was resumed, so 'uniface " +
                "eval' cannot find every overlap with the training data");
        }

        if (fresh)
        {
            EpochMetrics before = CosineProbe.Run(state, data, device, schedule.At(0));
            log.Write(before);
            events.EpochEnded?.Invoke(before);
            Save(events);
        }

        while (state.Epoch < options.Epochs)
        {
            try
            {
                RunEpoch(log, board, events, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                Save(events);
                throw;
            }

            EndEpoch(log, board, events, cancellationToken);
        }

        return new TrainResult(folder, state.Epoch, state.Step, Rate, state.EpochLosses.LastOrDefault(), state.WeightsSha256())
        {
            HeldOut = info.HeldOut.Count,
        };
    }

    private void RunEpoch(MetricsLog log, TensorBoardLog board, TrainingEvents events, CancellationToken cancellationToken)
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

                if (step.Run(group) is string bad)
                {
                    throw NonFinite(bad, group);
                }

                int images = group.Sum(b => b.Samples.Count);
                imagesTrained += images;
                windowImages += images;
                state.Batch += group.Count;
                Release(group);
                if (state.Step % options.LogEvery == 0)
                {
                    WriteStep(log, board, events, windowImages / window.Elapsed.TotalSeconds);
                    windowImages = 0;
                    window.Restart();
                }

                if (options.CheckpointEvery > 0 && state.Step % options.CheckpointEvery == 0 && !last)
                {
                    Save(events);
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

    private void EndEpoch(MetricsLog log, TensorBoardLog board, TrainingEvents events, CancellationToken cancellationToken)
    {
        bool validates = data.Validator is not null && ((state.Epoch + 1) % options.ValidateEvery == 0 || state.Epoch + 1 == options.Epochs);
        if (validates)
        {
            Save(events); // A stop while validating loses no step: the epoch then ends when the run goes on.
        }

        ValidationMetrics? validation = validates ? Validate(cancellationToken) : null;
        RunningStatistics sums = state.EpochSums;
        state.EpochLosses.Add(sums.Loss);
        state.Epoch++;
        state.Batch = 0;
        state.EpochSums = new RunningStatistics();

        // Of equals the later one is better: it has been trained on more.
        if (validation is not null && !(validation.TarAtFar < state.Best))
        {
            state.Best = validation.TarAtFar;
            state.Save(Path.Combine(folder, TrainingRun.BestFile), whole: false);
        }

        EpochMetrics row = new()
        {
            Step = state.Step,
            Epoch = state.Epoch,
            Loss = sums.Loss,
            Lr = schedule.At(state.Step - 1),
            ImagesPerSecond = Rate,
            TargetCosine = sums.TargetCosine,
            HardestNegativeCosine = sums.HardestNegativeCosine,
            Threshold = state.Head.Threshold,
            TargetHistogram = sums.TargetHistogram,
            HardestNegativeHistogram = sums.HardestNegativeHistogram,
            Validation = validation,
        };
        log.Write(row);
        board.Write(row);
        Save(events);
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
            using BackboneEmbedder embedder = new(state.Backbone, flipSum: true, batchSize: 64, device, ownsBackbone: false);
            return data.Validator!.Run(embedder, cancellationToken);
        }
        finally
        {
            state.Average?.Swap();
        }
    }

    private void WriteStep(MetricsLog log, TensorBoardLog board, TrainingEvents events, double imagesPerSecond)
    {
        RunningStatistics sums = state.Window;
        state.Window = new RunningStatistics();
        StepMetrics row = new()
        {
            Step = state.Step,
            Epoch = state.Epoch + 1,
            Loss = sums.Loss,
            Lr = schedule.At(state.Step - 1),
            ImagesPerSecond = imagesPerSecond,
            GradNorm = sums.GradientNorm,
            TargetCosine = sums.TargetCosine,
            HardestNegativeCosine = sums.HardestNegativeCosine,
            Threshold = state.Head.Threshold,
        };
        log.Write(row);
        board.Write(row);
        double images = (double)(TotalSteps - state.Step) * options.Batch * options.Accumulate;
        TimeSpan left = TimeSpan.FromSeconds(Math.Min(images * training.Elapsed.TotalSeconds / imagesTrained, 1e9));
        events.Progress?.Invoke(new TrainProgress(row, TotalSteps, options.Epochs, left));
    }

    private void Save(TrainingEvents events)
    {
        if (NonFiniteCheck.BadWeights(state.Parameters) is string bad)
        {
            throw NonFinite(bad, []);
        }

        if (fingerprint.Count is int count && count != fingerprintCount)
        {
            // Before the checkpoint, which must never have learned from a picture that the file does not hold.
            fingerprint.Save(Path.Combine(folder, TrainingFingerprint.FileName));
            fingerprintCount = count;
        }

        string last = Path.Combine(folder, TrainingRun.LastFile);
        if (File.Exists(last))
        {
            string next = Path.Combine(folder, "next.ckpt");
            state.Save(next, whole: true);
            File.Replace(next, last, Path.Combine(folder, TrainingRun.PreviousFile)); // last.ckpt is there at any moment
            AtomicFile.FlushFolder(folder);
        }
        else
        {
            state.Save(last, whole: true);
        }

        checkpointStep = state.Step;
        events.CheckpointWritten?.Invoke(state.Step);
    }

    private TrainingFingerprint ReadFingerprint()
    {
        try
        {
            return fresh ? new TrainingFingerprint() : TrainingRun.LoadFingerprint(folder);
        }
        catch (UniFaceException)
        {
            return new TrainingFingerprint(complete: false);
        }
    }

    private UniFaceException NonFinite(string what, List<TrainingBatch> group) => NonFiniteCheck.Error(
        what,
        state.Step,
        state.Epoch,
        options,
        group.SelectMany(b => b.Samples).Select(i => data.Training.Samples[i].Name),
        checkpointStep);

    private static void Release(List<TrainingBatch> group)
    {
        foreach (TrainingBatch batch in group)
        {
            batch.Dispose();
        }

        group.Clear();
    }
}
