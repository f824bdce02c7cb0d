using System.Collections;
using TorchSharp;
using UniFace.Training.Backbones;
using UniFace.Training.Checkpoints;
using UniFace.Training.Data;
using UniFace.Training.Distributed;
using UniFace.Training.Loop;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Distributed;

/// <summary>An overflow of float16 on one rank skips the step on all, and all keep the same loss scale and the same weights.</summary>
[Collection(SerialCollection.Name)]
public class HalfPrecisionRanks
{
    private const int People = 9;
    private const int Batch = 7;

    [Theory]
    [InlineData(OptimizerKind.Sgd)]
    [InlineData(OptimizerKind.AdamW)]
    public void An_overflow_on_one_rank_skips_the_step_on_all(OptimizerKind optimizer) => RankTest.OnRank(ranks =>
    {
        using DisposeScope scope = NewDisposeScope();
        TrainOptions options = Toy.Options with { Batch = Batch, Optimizer = optimizer, LearningRate = 1e-3, Precision = Precision.Float16 };

        // Only the gradients of the last rank pass through float16.
        ToyBackbone backbone = new(batchNorm: false, half: ranks.Rank == ranks.Size - 1 ? 1 : null);
        using TrainingState state = new(options, backbone, options.CreateHead(People, CPU, ranks), CPU, ranks);
        using TrainingStep step = new(options, new LearningRateSchedule(ScheduleKind.Poly, options.LearningRate, 1000), state, CPU, null);
        state.Scale!.Restore(1 << 24, 3);
        string before = Weights(state, p => !p.Sharded || optimizer == OptimizerKind.AdamW);
        step.Run([Random(0, ranks)]);
        Assert.Equal((1 << 23, 0, 1, 1), (state.Scale.Value, state.Scale.GoodSteps, state.Step, state.Optimizer.Skipped));
        Assert.Equal(before, Weights(state, p => !p.Sharded || optimizer == OptimizerKind.AdamW));
        for (int i = 1; i < 25; i++)
        {
            step.Run([Random(i, ranks)]);
        }

        Assert.InRange(state.Optimizer.Skipped, 2, 22);
        Assert.NotEqual(before, Weights(state, p => !p.Sharded || optimizer == OptimizerKind.AdamW));
        string mine = $"{state.Scale.Value} {state.Scale.GoodSteps} {state.Optimizer.Skipped} {Weights(state, p => !p.Sharded)}";
        Assert.Equal(ranks.Broadcast(mine), mine);
    });

    /// <summary>What is not finite without the scale, here the gradient of one rank's class centers, is an error on all ranks.</summary>
    [Fact]
    public void A_gradient_of_the_head_that_is_not_finite_on_one_rank_is_an_error_on_all() => RankTest.OnRank(ranks =>
    {
        using DisposeScope scope = NewDisposeScope();
        TrainOptions options = Toy.Options with { Batch = Batch, Optimizer = OptimizerKind.AdamW, Precision = Precision.Float16 };
        using TrainingState state = new(options, new ToyBackbone(batchNorm: false), options.CreateHead(People, CPU, ranks), CPU, ranks);
        using TrainingStep step = new(options, new LearningRateSchedule(ScheduleKind.Poly, 1e-3, 1000), state, CPU, null);
        state.Scale!.Restore(1 << 8, 0);
        void Spoil()
        {
            if (ranks.Rank == ranks.Size - 1)
            {
                state.Head.Centers.Weight.grad!.fill_(float.NaN);
            }
        }

        TwoBatches batches = new([Random(0, ranks), Random(1, ranks)], Spoil);
        NonFiniteException refused = Assert.Throws<NonFiniteException>(() => step.Run(batches));
        Assert.Equal((1 << 8, 0), (state.Scale.Value, state.Optimizer.Skipped));
        if (ranks.Rank == ranks.Size - 1)
        {
            Assert.Equal("the gradient of head.centers.weight is not finite", refused.Message);
        }
    });

    private static string Weights(TrainingState state, Func<NamedParameter, bool> chosen) =>
        WeightsHash.Compute(state.Optimizer.Parameters.Where(chosen).ToDictionary(p => p.Name, p => (Tensor)p.Value));

    private static TrainingBatch Random(int seed, ICommunicator ranks)
    {
        using Generator generator = new((ulong)seed + 1, CPU);
        ShardRange own = ShardRange.Of(Batch, ranks.Rank, ranks.Size);
        Tensor images = randn([Batch, 112, 112, 3], generator: generator).permute(0, 3, 1, 2).narrow(0, own.First, own.Count);
        Tensor labels = randint(0, People, [Batch], dtype: ScalarType.Int64, generator: generator);
        return new TrainingBatch(images, labels, [.. Enumerable.Range(0, Batch)]);
    }

    /// <summary>The batches of a step; something happens between them.</summary>
    private sealed class TwoBatches(IReadOnlyList<TrainingBatch> batches, Action between) : IReadOnlyList<TrainingBatch>
    {
        public int Count => batches.Count;

        public TrainingBatch this[int index]
        {
            get
            {
                if (index == 1)
                {
                    between();
                }

                return batches[index];
            }
        }

        public IEnumerator<TrainingBatch> GetEnumerator() => batches.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
