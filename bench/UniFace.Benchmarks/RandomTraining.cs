using TorchSharp;
using UniFace.Training.Backbones;
using UniFace.Training.Data;
using UniFace.Training.Distributed;
using UniFace.Training.Loop;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;
using static TorchSharp.torch;

namespace UniFace.Benchmarks;

/// <summary>The state and step of a run that is fed one random batch.</summary>
internal sealed class RandomTraining : IDisposable
{
    private const int Side = 112;
    private readonly TrainingStep step;

    /// <param name="options">The options of the run; its batch is that of all processes.</param>
    /// <param name="classes">Classes of the head.</param>
    /// <param name="communicator">The processes that train together; null for one.</param>
    /// <param name="phaseDone">Called at the end of each phase of a step.</param>
    public RandomTraining(TrainOptions options, int classes, ICommunicator? communicator = null, Action<StepPhase>? phaseDone = null)
    {
        communicator ??= SingleProcess.Instance;

        // The learning rate does not affect the time; a small one keeps the weights finite with random labels.
        LearningRateSchedule schedule = new(ScheduleKind.Poly, 1e-3, 1_000_000);
        Backbone backbone = options.CreateBackbone(CPU, communicator);
        State = new TrainingState(options, backbone, options.CreateHead(classes, CPU, communicator), CPU, communicator);
        step = new TrainingStep(options, schedule, State, CPU, null) { PhaseDone = phaseDone };
        using Generator generator = new((ulong)options.Seed);
        using DisposeScope scope = NewDisposeScope();
        ShardRange own = ShardRange.Of(options.Batch, communicator.Rank, communicator.Size);
        Tensor images = rand([options.Batch, Side, Side, 3], generator: generator).mul_(2).sub_(1); // [B, H, W, 3]
        images = images.narrow(0, own.First, own.Count).clone().permute(0, 3, 1, 2); // [b, 3, H, W]
        Tensor labels = randint(0, classes, [options.Batch], dtype: ScalarType.Int64, generator: generator); // [B]
        Batch = new TrainingBatch(images.DetachFromDisposeScope(), labels.DetachFromDisposeScope(), new int[options.Batch]);
    }

    /// <summary>The weights and the optimizer.</summary>
    public TrainingState State { get; }

    /// <summary>The images of this process in [-1, 1] and the labels of all; owned by this object.</summary>
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
        step.Dispose();
        Batch.Dispose();
        State.Dispose();
    }
}
