using TorchSharp;
using UniFace.Training.Backbones;
using UniFace.Training.Backward;
using UniFace.Training.Data;
using UniFace.Training.Distributed;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;
using UniFace.Training.Runtime;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Distributed;

/// <summary>Steps of several ranks give the weights of one process on the global batch.</summary>
[Collection(SerialCollection.Name)]
public class StepRanks
{
    private const int People = 9;
    private const int Batch = 7;

    /// <summary>
    /// Weights, averages, loss and statistics after several steps, to 1e-5, of a network without batch norm: for SGD and AdamW, with moving
    /// averages, clipping, accumulation, sampled classes, and a bias per class.
    /// </summary>
    [Theory]
    [InlineData("uce", OptimizerKind.Sgd, 1)]
    [InlineData("uce(bias=1,negative-rate=0.5)", OptimizerKind.AdamW, 2)]
    [InlineData("uce(negative-rate=0.5)", OptimizerKind.AdamW, 2)]
    [InlineData("bce", OptimizerKind.Sgd, 1)]
    [InlineData("bce", OptimizerKind.AdamW, 1)]
    [InlineData("bce(bias=1)", OptimizerKind.AdamW, 1)]
    [InlineData("arcface(negative-rate=0.5)", OptimizerKind.Sgd, 2)]
    [InlineData("subcenter-arcface", OptimizerKind.AdamW, 1)]
    public void Without_batch_norm(string loss, OptimizerKind optimizer, int accumulate) => RankTest.OnRank(ranks => Compare(
        ranks,
        Toy.Options with
        {
            Loss = Loss.Parse(loss),
            Optimizer = optimizer,
            LearningRate = optimizer == OptimizerKind.Sgd ? 0.01 : 1e-3,
            Batch = Batch,
            Accumulate = accumulate,
            Ema = 0.9,
            Clip = 5,
        },
        () => new ToyBackbone(batchNorm: false),
        _ => 1e-4,
        1e-5));

    /// <summary>
    /// Synchronized batch norms, in fused kernels (widths in multiples of 16) and with tensors, and buckets that are sent during the backward pass.
    /// Rounding grows in a deep network with batch norms over few images, whatever the number of processes: only the gradients of the first step
    /// are compared closely.
    /// </summary>
    [Theory]
    [InlineData("mobilefacenet", 0.25)]
    [InlineData("mobilefacenet", 0.3)]
    public void With_synchronized_batch_norm(string name, double width) => RankTest.OnRank(ranks =>
    {
        TrainOptions options = Toy.Options with { Backbone = new BackboneSpec(name, width, 32), LearningRate = 1e-6, Batch = Batch };

        // The change of the gradients if the last bits of the pixels change.
        using DisposeScope scope = NewDisposeScope();
        using TrainingState exact = State(options, Create(), null);
        using TrainingState rounded = State(options, Create(), null);
        LearningRateSchedule schedule = new(ScheduleKind.Poly, options.LearningRate, 1000);
        TrainingBatch batch = Random(0);
        new TrainingStep(options, schedule, exact, CPU, null).Run([batch]);
        new TrainingStep(options, schedule, rounded, CPU, null).Run([batch with { Images = batch.Images + (Random(1).Images * 2e-7) }]);
        double rounding = Difference(exact, rounded);
        Assert.InRange(rounding, 0, 0.02);
        Compare(ranks, options, Create, step => step == 0 ? (3 * rounding) + 2e-5 : 1e-3, 1e-4);

        Backbone Create()
        {
            Backbone backbone = options.CreateBackbone(CPU);
            using NoGradScope noGradient = new();
            foreach (PRelu prelu in backbone.modules().OfType<PRelu>())
            {
                prelu.Slope.fill_(1); // No kink: values near 0 would fall on either side of it, more or fewer of them by luck.
            }

            return backbone;
        }
    });

    /// <summary>A batch norm alone: its output, its running statistics, and the gradients of its input and parameters.</summary>
    [Theory]
    [InlineData(32)]
    [InlineData(20)]
    public void A_synchronized_batch_norm(int channels) => RankTest.OnRank(ranks =>
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(5, CPU);
        using Training.Backbones.BatchNorm whole = new(channels);
        using Training.Backbones.BatchNorm part = new(channels) { Synchronized = ranks };
        ShardRange own = ShardRange.Of(Batch, ranks.Rank, ranks.Size);
        Tensor x = (randn([Batch, 5, 5, channels], generator: generator) * 3 + 7).permute(0, 3, 1, 2);
        Tensor gradient = randn([Batch, 5, 5, channels], generator: generator).permute(0, 3, 1, 2);
        TapeEngine expected = new(records: true, inputNeedsGradient: true), actual = new(records: true, inputNeedsGradient: true);
        Near("output", whole.Run(x, expected).narrow(0, own.First, own.Count), part.Run(x.narrow(0, own.First, own.Count), actual), 1e-5);
        Tensor inputGradient = expected.Backward(gradient)!.narrow(0, own.First, own.Count);
        Near("gradient", inputGradient, actual.Backward(gradient.narrow(0, own.First, own.Count))!, 1e-5);
        foreach ((string name, Tensor buffer) in whole.named_buffers())
        {
            Near(name, buffer, part.get_buffer(name)!, 1e-5);
        }

        foreach ((string name, TorchSharp.Modules.Parameter parameter) in whole.named_parameters())
        {
            Tensor sum = part.get_parameter(name)!.grad!.clone();
            ranks.AllReduce(Training.Runtime.TensorMemory.Floats(sum), Reduction.Sum, Traffic.Other);
            Near(name, parameter.grad!, sum, 1e-5);
        }
    });

    private static void Compare(ICommunicator ranks, TrainOptions options, Func<Backbone> create, Func<int, double> gradients, double weights)
    {
        using DisposeScope scope = NewDisposeScope();
        using TrainingState one = State(options, create(), null);
        Backbone synchronized = create();
        synchronized.Synchronize(ranks);
        using TrainingState mine = State(options, synchronized, ranks);
        LearningRateSchedule schedule = new(ScheduleKind.Poly, options.LearningRate, 1000);
        using TrainingStep whole = new(options, schedule, one, CPU, null);
        using TrainingStep part = new(options, schedule, mine, CPU, null);
        ShardRange own = ShardRange.Of(Batch, ranks.Rank, ranks.Size);
        for (int step = 0; step < 4; step++)
        {
            TrainingBatch[] batches = [.. Enumerable.Range(0, options.Accumulate).Select(i => Random((10 * step) + i))];
            whole.Run(batches);
            part.Run([.. batches.Select(b => b with { Images = b.Images.narrow(0, own.First, own.Count) })]);
            double error = Difference(one, mine);
            Assert.True(error <= gradients(step), $"step {step}: the gradients differ by {error} of their norm; allowed is {gradients(step)}");
            Assert.Equal(whole.GradientNorm, part.GradientNorm, gradients(step) * whole.GradientNorm);
        }

        mine.CollectStatistics();
        if (ranks.Rank == 0)
        {
            Assert.Equal(one.Window.Loss, mine.Window.Loss, weights * one.Window.Loss);
            Assert.Equal(one.Window.Images, mine.Window.Images);
            Assert.Equal(one.Window.Steps, mine.Window.Steps);
            Assert.Equal(one.Window.TargetCosine, mine.Window.TargetCosine, weights);
            Assert.Equal(one.Window.HardestNegativeCosine, mine.Window.HardestNegativeCosine, weights);
        }

        ShardRange classes = mine.Head.Centers.Shard;
        foreach ((NamedParameter expected, NamedParameter actual) in one.Parameters.Zip(mine.Parameters))
        {
            long perClass = expected.Value.shape[0] / People;
            using Tensor rows = actual.Sharded
                ? expected.Value.narrow(0, perClass * classes.First, perClass * classes.Count)
                : expected.Value.alias();
            Near(actual.Name, rows, actual.Value, weights);
        }

        foreach ((string name, Tensor value) in mine.Average?.Values ?? new Dictionary<string, Tensor>())
        {
            Near($"average of {name}", one.Average!.Values[name], value, weights);
        }
    }

    private static TrainingState State(TrainOptions options, Backbone backbone, ICommunicator? ranks) =>
        new(options, backbone, options.CreateHead(People, CPU, ranks), CPU, ranks);

    private static TrainingBatch Random(int seed)
    {
        using Generator generator = new((ulong)seed + 1, CPU);
        Tensor images = randn([Batch, 112, 112, 3], generator: generator).permute(0, 3, 1, 2);
        Tensor labels = randint(0, People, [Batch], dtype: ScalarType.Int64, generator: generator);
        return new TrainingBatch(images, labels, [.. Enumerable.Range(0, Batch)]);
    }

    /// <summary>The norm of the difference of the gradients that are not sharded, relative to their norm.</summary>
    private static double Difference(TrainingState expected, TrainingState actual)
    {
        (Tensor Expected, Tensor Actual)[] gradients =
        [
            .. expected.Parameters.Zip(actual.Parameters).Where(p => p is { Second.Sharded: false, Second.Value.grad: not null })
                .Select(p => (p.First.Value.grad!, p.Second.Value.grad!)),
        ];
        return Math.Sqrt(gradients.Sum(g => Squares(g.Expected - g.Actual)) / gradients.Sum(g => Squares(g.Expected)));
    }

    private static double Squares(Tensor values) => values.square().sum(ScalarType.Float64).item<double>();

    private static void Near(string what, Tensor expected, Tensor actual, double tolerance)
    {
        double scale = Math.Max(1e-2, expected.abs().max().to(ScalarType.Float64).item<double>());
        double difference = (expected - actual).abs().max().to(ScalarType.Float64).item<double>();
        Assert.True(difference <= tolerance * scale, $"{what} differs by {difference}, of values up to {scale}");
    }
}
