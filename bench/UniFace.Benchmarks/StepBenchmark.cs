using System.Diagnostics;
using TorchSharp;
using UniFace.Training.Backbones;
using UniFace.Training.Data;
using UniFace.Training.Loop;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;
using static TorchSharp.torch;

namespace UniFace.Benchmarks;

/// <summary>Speed of training and inference of a backbone.</summary>
/// <param name="Backbone">The backbone.</param>
/// <param name="Batch">Images per batch.</param>
/// <param name="TrainImagesPerSecond">Images per second of whole training steps: median.</param>
/// <param name="InferImagesPerSecond">Images per second of forward passes in evaluation mode: median.</param>
/// <param name="Threads">Threads of libtorch.</param>
internal sealed record StepSpeed(BackboneSpec Backbone, int Batch, double TrainImagesPerSecond, double InferImagesPerSecond, int Threads);

/// <summary>
/// Times the training step of a run (forward, head, backward, clipping, optimizer) with a normalized softmax over <see cref="Classes"/> people, and the
/// forward pass alone, on random images in memory.
/// </summary>
internal static class StepBenchmark
{
    /// <summary>Classes of the head.</summary>
    public const int Classes = 10_000;

    private const int WarmupSteps = 3;

    /// <summary>Times a backbone.</summary>
    /// <param name="options">The options of a run; its data is not read.</param>
    /// <param name="steps">Steps to time, and as many passes.</param>
    /// <param name="stepDone">Called after each of <see cref="Count"/> steps and passes.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <exception cref="UniFaceException">An option is out of range, or the loss is not finite.</exception>
    public static StepSpeed Run(TrainOptions options, int steps, Action stepDone, CancellationToken cancellationToken)
    {
        options.Validate();
        BackboneRegistry.Validate(options.Backbone);
        set_num_threads(options.Threads);
        using RandomTraining training = new(options, Classes);
        TimeSpan step = MedianTime(() => training.Step(training.Batch), steps, stepDone, cancellationToken);
        training.State.Backbone.eval();
        TimeSpan pass = MedianTime(training.Infer, steps, stepDone, cancellationToken);
        return new StepSpeed(options.Backbone, options.Batch, options.Batch / step.TotalSeconds, options.Batch / pass.TotalSeconds, options.Threads);
    }

    /// <summary>Steps and passes in all, including the warm-up.</summary>
    public static int Count(int steps) => 2 * (WarmupSteps + steps);

    private static TimeSpan MedianTime(Action action, int count, Action done, CancellationToken cancellationToken)
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

            done();
        }

        times.Sort();
        return times[times.Count / 2];
    }
}

/// <summary>The state and step of a run that is fed one random batch.</summary>
internal sealed class RandomTraining : IDisposable
{
    private const int Side = 112;
    private readonly TrainingStep step;

    public RandomTraining(TrainOptions options, int classes)
    {
        // The learning rate does not affect the time; a small one keeps the weights finite with random labels.
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

    /// <summary>Images in [-1, 1] and labels; owned by this object.</summary>
    public TrainingBatch Batch { get; }

    /// <summary>One whole training step.</summary>
    public void Step(TrainingBatch batch)
    {
        try
        {
            step.Run([batch]);
        }
        catch (NonFiniteException e)
        {
            throw new UniFaceException(
                $"{e.Message} after {State.Step} steps on random images; this build or machine computes wrong results: see 'uniface doctor'.", e);
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
