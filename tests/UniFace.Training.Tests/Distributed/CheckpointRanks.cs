using TorchSharp;
using UniFace.Training.Checkpoints;
using UniFace.Training.Distributed;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Distributed;

/// <summary>A checkpoint of N ranks has, on any other number of ranks, exactly the same centers, momentum and averages of AdamW.</summary>
[Collection(SerialCollection.Name)]
public class CheckpointRanks
{
    private const int People = 11;

    [Theory]
    [InlineData("uce", OptimizerKind.Sgd)]
    [InlineData("bce", OptimizerKind.AdamW)]
    [InlineData("subcenter-arcface(negative-rate=0.3)", OptimizerKind.Sgd)]
    public void Any_number_of_ranks_reads_a_checkpoint(string loss, OptimizerKind optimizer) => RankTest.OnRank(ranks =>
    {
        using DisposeScope scope = NewDisposeScope();
        string folder = ranks.Broadcast(ranks.Rank == 0 ? Directory.CreateTempSubdirectory("uniface-ranks-").FullName : "");
        TrainOptions options = Toy.Options with { Loss = Loss.Parse(loss), Optimizer = optimizer, Batch = 8, Ema = 0.9 };
        using TrainingState mine = State(options, ranks);
        using (TrainingStep step = new(options, new LearningRateSchedule(ScheduleKind.Poly, 0.01, 100), mine, CPU, null))
        {
            for (int i = 0; i < 3; i++)
            {
                step.Run([Batch(i, ranks)]);
            }
        }

        string sharded = Path.Combine(folder, "last.ckpt"), whole = Path.Combine(folder, "whole.ckpt");
        mine.Save(sharded, resumable: true);
        string hash = mine.WeightsSha256();
        ranks.Barrier();

        using TrainingState one = State(options, null);
        one.Load(sharded);
        if (ranks.Rank == 0)
        {
            Assert.Equal(hash, one.WeightsSha256());
            Assert.Equal(mine.Window.Images, one.Window.Images);
            one.Save(whole, resumable: true);
        }

        ranks.Barrier();
        foreach (int size in new[] { 1, 2, 3, 5, 11 })
        {
            for (int rank = 0; rank < size; rank++)
            {
                using TrainingState fromParts = State(options, new Place(rank, size));
                using TrainingState fromWhole = State(options, new Place(rank, size));
                fromParts.Load(sharded);
                fromWhole.Load(whole);
                foreach (TrainingState loaded in new[] { fromParts, fromWhole })
                {
                    Assert.Equal(3, loaded.Step);
                    ShardRange classes = loaded.Head.Centers.Shard;
                    Dictionary<string, Tensor> expected = Tensors(one), actual = Tensors(loaded);
                    Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
                    foreach ((string name, Tensor value) in actual)
                    {
                        Tensor wanted = expected[name];
                        if (name.EndsWith("centers.weight", StringComparison.Ordinal)
                            || (loss == "bce" && name.EndsWith("objective.bias", StringComparison.Ordinal)))
                        {
                            long k = wanted.shape[0] / People;
                            wanted = wanted.narrow(0, k * classes.First, k * classes.Count);
                        }

                        Assert.True(wanted.equal(value).all().item<bool>(), $"{loss}, rank {rank} of {size}: {name}");
                    }
                }
            }
        }

        ranks.Barrier();
        if (ranks.Rank == 0)
        {
            Directory.Delete(folder, recursive: true);
        }
    });

    private static Dictionary<string, Tensor> Tensors(TrainingState state)
    {
        Dictionary<string, Tensor> all = new(state.Optimizer.State);
        Checkpoint.AddModule(all, "head.", state.Head);
        if (state.Head.Centers.Momentum is Tensor momentum)
        {
            all["momentum.centers.weight"] = momentum;
        }

        return all;
    }

    private static TrainingState State(TrainOptions options, ICommunicator? ranks) =>
        new(options, new ToyBackbone(batchNorm: false), options.CreateHead(People, CPU, ranks), CPU, ranks);

    private static Training.Data.TrainingBatch Batch(int seed, ICommunicator ranks)
    {
        using Generator generator = new((ulong)seed + 1, CPU);
        Tensor images = randn([8, 3, 112, 112], generator: generator);
        Tensor labels = randint(0, People, [8], dtype: ScalarType.Int64, generator: generator);
        ShardRange own = ShardRange.Of(8, ranks.Rank, ranks.Size);
        return new Training.Data.TrainingBatch(images.narrow(0, own.First, own.Count), labels, [.. Enumerable.Range(0, 8)]);
    }

    /// <summary>A rank that reads and exchanges nothing.</summary>
    private sealed class Place(int rank, int size) : ICommunicator
    {
        public int Rank => rank;

        public int Size => size;

        public TrafficCounters Counters { get; } = new();

        public TimeSpan Waiting => default;

        public void AllReduce(Span<float> values, Reduction reduction, Traffic traffic) => throw new NotSupportedException();

        public void AllReduce(Span<double> values, Reduction reduction, Traffic traffic) => throw new NotSupportedException();

        public IPendingSum BeginSum(nint address, int count, Traffic traffic) => throw new NotSupportedException();

        public void AllGather(ReadOnlySpan<float> mine, Span<float> all, ReadOnlySpan<int> counts, Traffic traffic) => throw new NotSupportedException();

        public void ReduceScatterRows(ReadOnlySpan<float> rows, int width, ReadOnlySpan<int> counts, Span<float> mine, Traffic traffic) =>
            throw new NotSupportedException();

        public void Broadcast(Span<byte> bytes) => throw new NotSupportedException();

        public void Send(ReadOnlySpan<byte> bytes, int rank) => throw new NotSupportedException();

        public void Receive(Span<byte> bytes, int rank) => throw new NotSupportedException();

        public void Barrier() => throw new NotSupportedException();

        public void Abort(int exitCode) => throw new NotSupportedException();
    }
}
