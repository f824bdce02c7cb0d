using System.Diagnostics;
using TorchSharp;
using UniFace.Training.Backbones;
using UniFace.Training.Data;
using UniFace.Training.Loop;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;
using static TorchSharp.torch;

namespace UniFace.Training.Benchmarks;

/// <summary>How fast a backbone trains and infers.</summary>
/// <param name="Backbone">The backbone with its sizes.</param>
/// <param name="Batch">Pictures a batch.</param>
/// <param name="TrainImagesPerSecond">Pictures a second of whole training steps: median of the steps.</param>
/// <param name="InferImagesPerSecond">Pictures a second of forward passes in evaluation mode: median of the passes.</param>
/// <param name="Threads">Threads that libtorch computed with.</param>
public sealed record StepSpeed(BackboneSpec Backbone, int Batch, double TrainImagesPerSecond, double InferImagesPerSecond, int Threads);

/// <summary>
/// Times what training and evaluation repeat, on random pictures that are in memory already: the very step of a run (forward,
/// head, backward, clipping, optimizer) with a normalised softmax over <see cref="Classes"/> people, and the forward pass alone.
/// </summary>
public static class StepBenchmark
{
    /// <summary>Classes of the head.</summary>
    public const int Classes = 10_000;

    private const int WarmupSteps = 3;

    /// <summary>Times the options' backbone with their batch and threads.</summary>
    /// <param name="options">What a run would be started with; its data is not read.</param>
    /// <param name="steps">Steps timed, and as many passes.</param>
    /// <param name="stepDone">Called after each of <see cref="Count"/> steps and passes.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <exception cref="UniFaceException">An option is out of range, or the loss is not finite.</exception>
    public static StepSpeed Run(TrainOptions options, int steps, Action? stepDone = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        options.Validate();
        BackboneRegistry.Validate(options.Backbone);
        set_num_threads(options.Threads);
        using RandomTraining training = new(options, Classes);
        TimeSpan step = MedianTime(() => training.Step(training.Batch), steps, stepDone, cancellationToken);
        training.State.Backbone.eval();
        TimeSpan pass = MedianTime(training.Infer, steps, stepDone, cancellationToken);
        return new StepSpeed(options.Backbone, options.Batch, options.Batch / step.TotalSeconds, options.Batch / pass.TotalSeconds, options.Threads);
    }

    /// <summary>Steps and passes that are done to time so many of each: a few more, to warm up.</summary>
    public static int Count(int steps) => 2 * (WarmupSteps + steps);

    private static TimeSpan MedianTime(Action action, int count, Action? done, CancellationToken cancellationToken)
    {
        List<TimeSpan> times = [];
        for (int i = 0; i < WarmupSteps + count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            long start = Stopwatch.GetTimestamp();
            action();
            if (i >= WarmupSteps)
            {
                times.Add(Stopwatch.GetElapsedTime(start));
            }

            done?.Invoke();
        }

        times.Sort();
        return times[times.Count / 2];
    }
}

/// <summary>A run's state and step, fed with one random batch.</summary>
internal sealed class RandomTraining : IDisposable
{
    private const int Side = BackboneRegistry.InputSize;
    private readonly TrainingStep step;

    public RandomTraining(TrainOptions options, int classes)
    {
        // The rate does not change the time; a small one keeps random labels from blowing the weights up.
        LearningRateSchedule schedule = new(ScheduleKind.Poly, 1e-3, 1_000_000);
        State = new TrainingState(
            options,
            options.CreateBackbone(CPU),
            options.CreateHead(classes, CPU),
            CPU);
        step = new TrainingStep(options, schedule, State, CPU, null);
        using Generator generator = new((ulong)options.Seed);
        using DisposeScope scope = NewDisposeScope();
        Tensor images = rand([options.Batch, Side, Side, 3], generator: generator).mul_(2).sub_(1).permute(0, 3, 1, 2); // [B, 3, H, W]
        Tensor labels = randint(0, classes, [options.Batch], dtype: ScalarType.Int64, generator: generator); // [B]
        Batch = new TrainingBatch(images.DetachFromDisposeScope(), labels.DetachFromDisposeScope(), new int[options.Batch]);
    }

    /// <summary>The weights and the optimizer.</summary>
    public TrainingState State { get; }

    /// <summary>Pictures in [-1, 1] and labels, owned by this.</summary>
    public TrainingBatch Batch { get; }

    /// <summary>One whole training step.</summary>
    public void Step(TrainingBatch batch)
    {
        if (step.Run([batch]) is string bad)
        {
            throw new UniFaceException($"{bad} is not finite after {State.Step} steps on random pictures; this build or machine computes wrong results: see 'uniface doctor'.");
        }
    }

    /// <summary>One forward pass, without gradients.</summary>
    public void Infer()
    {
        using IDisposable noGradient = no_grad();
        using Tensor embeddings = State.Backbone.forward(Batch.Images);
    }

    public void Dispose()
    {
        Batch.Dispose();
        State.Dispose();
    }
}
