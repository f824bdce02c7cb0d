using TorchSharp;
using TorchSharp.Modules;
using UniFace.Benchmarks.Planning;
using UniFace.Training.Distributed;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Losses;
using UniFace.Training.Tests.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Distributed;

/// <summary>
/// A head whose centers are sharded over ranks gives, on every rank, the loss, the gradients and the centers of a whole head on the same global
/// batch: for every loss of the registry, with a number of classes and of samples that the ranks do not divide.
/// </summary>
[Collection(SerialCollection.Name)]
public class HeadRanks
{
    private const int Classes = 23;
    private const int Size = 16;
    private const int Samples = 13;

    [Fact]
    public void Every_loss() => RankTest.OnRank(ranks =>
    {
        // More ranks than processors take their time: every variant on 2, every loss on more.
        IEnumerable<Loss> losses = ranks.Size == 2 ? LossVariants.All : TestRuntime.Losses.Select(info => Loss.Parse(info.Name));
        foreach (Loss loss in losses)
        {
            foreach (double share in new[] { 1, 0.4 })
            {
                Loss used = loss.With("negative-rate", FormattableString.Invariant($"{share}"));
                Compare(ranks, used, new CenterUpdate.Sgd(0.01, 0.9, 5e-4), batches: 2);
                Compare(ranks, used, CenterUpdate.Accumulate, batches: 2);
            }
        }
    });

    /// <summary>Collectives and bytes per batch are those of docs/distributed.md and of `uniface bench plan`.</summary>
    [Fact]
    public void Traffic_is_as_documented() => RankTest.OnRank(ranks =>
    {
        using DisposeScope scope = NewDisposeScope();
        foreach (Loss loss in TestRuntime.Losses.Select(info => Loss.Parse(info.Name)))
        {
            using RecognitionHead head = loss.CreateHead(Classes, Size, seed: 3, communicator: ranks);
            (Tensor x, Tensor labels, _) = Batch(7);
            int own = head.Exchange!.Samples(Samples).Count;
            (long calls, long bytes) = ranks.Counters[Traffic.Head];
            head.ForwardBackward(x.narrow(0, head.Exchange.Samples(Samples).First, own), labels).Dispose();
            bool targets = head.ExchangesTargets, rows = !head.Objective.IsSeparable, again = head.Objective.UpdatesPerBatch;
            Assert.Equal(2 + (targets ? 1 : 0) + (rows ? 1 : 0) + (again ? 1 : 0), ranks.Counters[Traffic.Head].Calls - calls);
            long expected = (own * Size * 4)
                + ((Samples + ranks.Size) * (Size + 2) * 4)
                + (targets ? 2 * Samples * 4 : 0)
                + ((rows ? 1 : 0) + (again ? 1 : 0)) * Samples * 8;
            Assert.Equal(expected, ranks.Counters[Traffic.Head].Bytes - bytes);
            LossExchange planned = LossExchange.Create(loss);
            Assert.Equal(
                (planned.Calls, planned.Bytes(ranks.Size, own, Samples, Size)),
                (ranks.Counters[Traffic.Head].Calls - calls, ranks.Counters[Traffic.Head].Bytes - bytes));
            if (loss.Name is "uce" or "arcface" or "cosface")
            {
                Assert.Equal(loss.Name == "uce" ? 2 : 4, ranks.Counters[Traffic.Head].Calls - calls);
            }
        }
    });

    /// <summary>
    /// Centers in bfloat16 are those of one process but for a few elements that lie so close to the limit of a rounding that the order of a sum decides it:
    /// the draw of an element depends on its place, not on tiles or ranks.
    /// </summary>
    [Theory]
    [InlineData("uce")]
    [InlineData("uce(negative-rate=0.4)")]
    [InlineData("bce")]
    [InlineData("arcface")]
    [InlineData("subcenter-arcface")]
    public void Centers_in_bfloat16(string name) => RankTest.OnRank(ranks =>
    {
        using DisposeScope scope = NewDisposeScope();
        using RecognitionHead whole = Loss.Parse(name).CreateHead(Classes, Size, seed: 3, centers: ScalarType.BFloat16);
        using RecognitionHead shard = Loss.Parse(name).CreateHead(Classes, Size, seed: 3, centers: ScalarType.BFloat16, communicator: ranks);
        whole.TileSize = shard.TileSize = 5;
        CenterUpdate.Sgd update = new(0.01, 0.9, 5e-4);
        ShardRange classes = shard.Centers.Shard, samples = shard.Exchange!.Samples(Samples);
        int k = shard.Centers.SubCenters;
        Assert.Equal(ScalarType.BFloat16, shard.Centers.Weight.dtype);
        Assert.True(Rows(whole.Centers.Weight).Equals(shard.Centers.Weight), "the initial centers differ");
        for (int round = 0; round < 8; round++)
        {
            (Tensor x, Tensor labels, Tensor weights) = Batch(round);
            using HeadOutput all = whole.ForwardBackward(x, labels, weights, update: update);
            using HeadOutput mine = shard.ForwardBackward(x.narrow(0, samples.First, samples.Count), labels, weights, update: update);
            Assert.Equal(all.Loss, mine.Loss, (round == 0 ? 1e-5 : 1e-3) * Math.Max(1, Math.Abs(all.Loss)));
            Tensor gradient = all.EmbeddingGradient.narrow(0, samples.First, samples.Count);
            Near($"{name}: gradient", gradient, mine.EmbeddingGradient, round == 0 ? 1 : 5e3);
            Same("centers", Rows(whole.Centers.Weight), shard.Centers.Weight, round);
            Same("momentum", Rows(whole.Centers.Momentum!), shard.Centers.Momentum!, round);
        }

        Tensor Rows(Tensor all) => all.narrow(0, (long)classes.First * k, (long)classes.Count * k);

        void Same(string what, Tensor expected, Tensor actual, int round)
        {
            double different = (expected != actual).to(ScalarType.Float64).mean().item<double>();
            Assert.True(different <= 0.02, $"{name}, round {round}: {different:P1} of the {what} differ");
            (expected, actual) = (expected.to(ScalarType.Float32), actual.to(ScalarType.Float32));
            Tensor larger = maximum(expected.abs(), actual.abs()); // A step of bfloat16 is at most 1/128 of a value.
            Tensor allowed = ((round == 0 ? larger : larger.max().expand_as(larger)) * ((round + 1) / 64.0)) + 1e-5;
            double worst = ((expected - actual).abs() / allowed).max().item<float>();
            Assert.True(worst <= 1, $"{name}, round {round}: {what} differ by {worst:F2} times what rounding allows");
        }
    });

    private static void Compare(ICommunicator ranks, Loss loss, CenterUpdate update, int batches)
    {
        using DisposeScope scope = NewDisposeScope();
        using RecognitionHead whole = loss.CreateHead(Classes, Size, seed: 3);
        using RecognitionHead shard = loss.CreateHead(Classes, Size, seed: 3, communicator: ranks);
        whole.TileSize = shard.TileSize = 5;
        string what = $"{loss}, {batches} batches, {update}";
        double steep = Math.Max(1, (loss.Has("scale") ? loss.Number("scale") : 1) / 64); // The slopes multiply the rounding of a cosine by s.
        ShardRange classes = shard.Centers.Shard;
        int k = shard.Centers.SubCenters;
        for (int round = 0; round < 2; round++)
        {
            (Tensor X, Tensor Labels, Tensor Weights)[] parts = [.. Enumerable.Range(0, batches).Select(i => Batch((round * 10) + i))];
            HeadStep expected = whole.BeginStep([.. parts.Select(p => p.Labels)], update);
            HeadStep actual = shard.BeginStep([.. parts.Select(p => p.Labels)], update);
            ShardRange samples = shard.Exchange!.Samples(Samples);
            foreach ((Tensor x, Tensor labels, Tensor weights) in parts)
            {
                using HeadOutput all = expected.Add(x, weights, 1.0 / batches);
                using HeadOutput mine = actual.Add(x.narrow(0, samples.First, samples.Count), weights, 1.0 / batches);
                Assert.True(Math.Abs(all.Loss - mine.Loss) <= 1e-5 * Math.Max(1, Math.Abs(all.Loss)), $"{what}: loss {mine.Loss}, expected {all.Loss}");
                Near($"{what}: gradient", all.EmbeddingGradient.narrow(0, samples.First, samples.Count), mine.EmbeddingGradient, steep);
                Near($"{what}: target cosine", all.TargetCosine.narrow(0, samples.First, samples.Count), mine.TargetCosine);
                Near($"{what}: hardest negative", all.HardestNegativeCosine.narrow(0, samples.First, samples.Count), mine.HardestNegativeCosine);
            }

            Near($"{what}: centers", Rows(whole.Centers.Weight), shard.Centers.Weight);
            Tensor? state = update == CenterUpdate.Accumulate ? whole.Centers.Weight.grad : whole.Centers.Momentum;
            Tensor? own = update == CenterUpdate.Accumulate ? shard.Centers.Weight.grad : shard.Centers.Momentum;
            Near($"{what}: momentum or gradient", Rows(state!), own!, steep);
            foreach ((string name, Parameter parameter) in whole.Objective.named_parameters())
            {
                Tensor gradient = shard.Objective.get_parameter(name)!.grad!;
                Near($"{what}: {name}", gradient.shape[0] == 1 ? parameter.grad! : parameter.grad!.narrow(0, classes.First, classes.Count), gradient);
            }

            foreach ((string name, Tensor buffer) in whole.named_buffers().Where(b => !b.name.StartsWith("centers.", StringComparison.Ordinal)))
            {
                Near($"{what}: {name}", buffer, shard.named_buffers().Single(b => b.name == name).buffer);
            }
        }

        Tensor Rows(Tensor all) => all.narrow(0, (long)classes.First * k, (long)classes.Count * k);
    }

    private static (Tensor X, Tensor Labels, Tensor Weights) Batch(int seed)
    {
        using Generator generator = new((ulong)seed + 1, CPU);
        Tensor x = randn([Samples, Size], generator: generator);
        Tensor labels = randint(0, Classes, [Samples], dtype: ScalarType.Int64, generator: generator);
        return (x, labels, rand([Samples], generator: generator) + 0.5);
    }

    private static void Near(string what, Tensor expected, Tensor actual, double steep = 1)
    {
        double scale = steep * Math.Max(1, expected.abs().max().to(ScalarType.Float64).item<double>());
        double difference = (expected - actual).abs().max().to(ScalarType.Float64).item<double>();
        Assert.True(difference <= 1e-5 * scale, $"{what} differs by {difference}, of values up to {scale}");
    }
}
