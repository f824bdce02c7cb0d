using System.Diagnostics;
using UniFace.Training.Backbones;
using UniFace.Training.Distributed;
using UniFace.Training.Loop;
using UniFace.Training.Runs;
using static TorchSharp.torch;

namespace UniFace.Benchmarks;

/// <summary>Speed of training and inference of a backbone, as rank 0 sees it.</summary>
/// <param name="Ranks">Processes that train together.</param>
/// <param name="StepMs">Milliseconds of a training step, until all ranks have done it: median.</param>
/// <param name="FastestStepMs">Milliseconds of the fastest step, which other programs have disturbed least.</param>
/// <param name="Phases">Milliseconds of each phase of a step on rank 0: medians.</param>
/// <param name="InferMs">Milliseconds of a forward pass in evaluation mode, until all ranks have done it: median.</param>
/// <param name="Traffic">Calls and bytes per step and rank.</param>
/// <param name="CentersMb">Centers of this rank and their momentum, in MB (10^6 bytes).</param>
/// <param name="PeakMb">Peak resident memory of this rank in the steps, in MB (10^6 bytes).</param>
internal sealed record StepSpeed(
    int Ranks,
    double StepMs,
    double FastestStepMs,
    IReadOnlyDictionary<StepPhase, double> Phases,
    double InferMs,
    IReadOnlyDictionary<Traffic, (long Calls, long Bytes)> Traffic,
    double CentersMb,
    double PeakMb);

/// <summary>
/// Times the training step of a run (forward, head, backward, clipping, optimizer), and the forward pass alone, on random images in memory. Under
/// mpiexec, the step is that of a run of all processes.
/// </summary>
internal static class StepBenchmark
{
    private const int WarmupSteps = 3; // The second is the first one that overlaps sums.

    /// <summary>Times a backbone.</summary>
    /// <param name="options">The options of a run, whose batch is that of all processes; its data is not read.</param>
    /// <param name="classes">Classes of the head.</param>
    /// <param name="steps">Steps to time, and as many passes.</param>
    /// <param name="stepDone">Called after each of <see cref="Count"/> steps and passes.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <exception cref="UniFaceException">An option is out of range, the centers exceed the memory, or the loss is not finite.</exception>
    public static StepSpeed Run(TrainOptions options, int classes, int steps, Action stepDone, CancellationToken cancellationToken)
    {
        options.Validate();
        BackboneRegistry.Validate(options.Backbone);
        ICommunicator communicator = MpiJob.Current;
        long centers = CenterMemory.Require(classes, options.Backbone.EmbeddingSize, options.CenterType, communicator);
        set_num_threads(options.Threads);
        PhaseTimes phases = new();
        using RandomTraining training = new(options, classes, communicator, phases.Add);
        ResidentMemory.ResetPeak();
        IReadOnlyList<(long Calls, long Bytes)> before = [];
        double[] trained = Time(
            () =>
            {
                before = communicator.Counters.Snapshot();
                phases.Begin();
                training.Step(training.Batch);
                communicator.Barrier();
            },
            communicator,
            steps,
            stepDone,
            cancellationToken);
        IReadOnlyList<(long Calls, long Bytes)> after = communicator.Counters.Snapshot();
        double peak = ResidentMemory.Peak();
        training.State.Backbone.eval();
        double[] passes = Time(
            () =>
            {
                training.Infer();
                communicator.Barrier();
            },
            communicator,
            steps,
            stepDone,
            cancellationToken);
        return new StepSpeed(
            communicator.Size,
            trained[steps / 2],
            trained[0],
            phases.Medians(steps),
            passes[steps / 2],
            Enum.GetValues<Traffic>().ToDictionary(kind => kind, kind => PerStep(kind, before[(int)kind], after[(int)kind], communicator.Size)),
            centers / 1e6,
            peak / 1e6);
    }

    /// <summary>Steps and passes in all, including the warm-up.</summary>
    public static int Count(int steps) => 2 * (WarmupSteps + steps);

    /// <summary>The traffic of the last step without the barrier at its end, which is no part of a step in training.</summary>
    private static (long Calls, long Bytes) PerStep(Traffic kind, (long Calls, long Bytes) before, (long Calls, long Bytes) after, int ranks) =>
        (after.Calls - before.Calls - (kind == Traffic.Other && ranks > 1 ? 1 : 0), after.Bytes - before.Bytes);

    /// <summary>Milliseconds of an action, sorted.</summary>
    private static double[] Time(Action action, ICommunicator communicator, int count, Action done, CancellationToken cancellationToken)
    {
        List<double> times = [];
        for (int i = 0; i < WarmupSteps + count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            communicator.Barrier();
            long start = Stopwatch.GetTimestamp();
            action();
            if (i >= WarmupSteps)
            {
                times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            }

            done();
        }

        return [.. times.Order()];
    }

    /// <summary>The times of the phases of steps with one batch.</summary>
    private sealed class PhaseTimes
    {
        private readonly Dictionary<StepPhase, List<double>> times = Enum.GetValues<StepPhase>().ToDictionary(phase => phase, _ => new List<double>());
        private long last;

        public void Begin() => last = Stopwatch.GetTimestamp();

        public void Add(StepPhase phase)
        {
            times[phase].Add(Stopwatch.GetElapsedTime(last).TotalMilliseconds);
            Begin();
        }

        /// <summary>The medians of the last steps.</summary>
        public Dictionary<StepPhase, double> Medians(int steps) =>
            times.ToDictionary(phase => phase.Key, phase => phase.Value.TakeLast(steps).Order().ElementAt(steps / 2));
    }
}
