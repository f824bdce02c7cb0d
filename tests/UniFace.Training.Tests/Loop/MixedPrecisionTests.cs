using TorchSharp;
using UniFace.Training.Backbones;
using UniFace.Training.Checkpoints;
using UniFace.Training.Data;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;
using UniFace.Training.Tests.Losses;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Loop;

/// <summary>
/// float16 trains at s = 64 without NaN: a gradient that overflows by the loss scale skips the step and halves the scale, and anything else that is
/// not finite is an error that names the tensor.
/// </summary>
[Collection(SerialCollection.Name)]
public sealed class MixedPrecisionTests : IDisposable
{
    private static readonly LearningRateSchedule Flat = new(ScheduleKind.Poly, 0.01, 1_000_000, Power: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-precision-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Real convolutions, with the scale of a new run and with one at which every gradient overflows at first.</summary>
    [Theory]
    [InlineData("uce", 65536)]
    [InlineData("arcface", 65536)]
    [InlineData("cosface", 1L << 24)]
    public void At_s_64_float16_is_near_float32_and_never_NaN(string text, double scale)
    {
        Loss loss = Loss.Parse(text);
        Assert.Equal(64, loss.Number("scale"));
        TrainOptions options = Toy.Options with { Loss = loss, Backbone = new BackboneSpec("mobilefacenet", 0.25, 8), LearningRate = 0.01 };
        using TrainingState plain = Toy.State(options, 6, () => options.CreateBackbone(CPU));
        TrainOptions half = options with { Precision = Precision.Float16 };
        using TrainingState state = Toy.State(half, 6, () => half.CreateBackbone(CPU));
        state.Scale!.Restore(scale, 0);
        double[] losses = Train(options, plain, 6), ours = Train(half, state, 28);
        Assert.All(losses.Concat(ours), value => Assert.True(double.IsFinite(value)));
        NonFiniteCheck.RequireFinite(state.Parameters);
        Assert.Equal(losses[0], ours[0], 0.01 * losses[0]);
        Assert.True(state.Step - state.Optimizer.Skipped >= 6, $"{state.Optimizer.Skipped} of {state.Step} steps skipped; scale {state.Scale.Value}");
        Assert.True(ours.TakeLast(7).Average() < ours[0], string.Join(' ', ours));
    }

    /// <summary>Long embeddings have small gradients: without a scale float16 rounds them to 0, with one it keeps them.</summary>
    [Fact]
    public void The_scale_keeps_gradients_that_float16_alone_rounds_to_zero()
    {
        TrainOptions options = Toy.Options with { Loss = Loss.Parse("uce(scale=0.001,bias=0)"), Clip = 0 };
        double[][] gradients = [.. new double?[] { null, 1, 65536 }.Select(scale =>
        {
            using DisposeScope scope = NewDisposeScope();
            TrainOptions run = options with { Precision = scale is null ? Precision.Float32 : Precision.Float16 };
            using TrainingState state = Toy.State(run, 6, () => new ToyBackbone(batchNorm: false, half: scale is null ? null : 1e4));
            state.Scale?.Restore(scale!.Value, 0);
            using TrainingBatch batch = Batch();
            Step(run, state).Run([batch]);
            Assert.Equal(0, state.Optimizer.Skipped);
            return state.Parameters.First(p => p.Name == "backbone.layers.fc1.weight").Value.grad!.data<float>().Select(v => (double)v).ToArray();
        })];
        double Error(double[] found) => Math.Sqrt(found.Zip(gradients[0], (a, b) => (a - b) * (a - b)).Sum() / gradients[0].Sum(g => g * g));
        Assert.InRange(Error(gradients[1]), 0.9, 1); // Nothing is left.
        Assert.InRange(Error(gradients[2]), 0, 0.01);
    }

    [Theory]
    [InlineData(OptimizerKind.Sgd)]
    [InlineData(OptimizerKind.AdamW)]
    public void An_overflow_skips_the_step_and_halves_the_scale(OptimizerKind optimizer)
    {
        TrainOptions options = Toy.Options with { Precision = Precision.Float16, Optimizer = optimizer, Ema = 0.9, WeightDecay = 0.1 };
        using TrainingState state = State(options);
        using TrainingState other = State(options);
        using TrainingBatch batch = Batch();
        state.Scale!.Restore(1L << 40, 3);
        other.Scale!.Restore(1 << 8, 0);
        string before = Hash(state);
        Step(options, state).Run([batch]);
        Assert.Equal(before, Hash(state));
        Assert.Equal((1L << 39, 0, 1, 1), (state.Scale.Value, state.Scale.GoodSteps, state.Step, state.Optimizer.Skipped));
        Assert.Equal(0, state.Window.Steps);
        Assert.Equal(state.Window.Images, batch.Samples.Count);

        // The step after it is the first for the optimizer: AdamW corrects its bias by updates, not by steps.
        if (optimizer == OptimizerKind.AdamW)
        {
            state.Scale.Restore(1 << 8, 0);
            LearningRateSchedule constant = new(ScheduleKind.Step, 0.01, 1000, 0, 2, [900]);
            new TrainingStep(options with { Ema = 0 }, constant, state, CPU, null).Run([batch]);
            new TrainingStep(options with { Ema = 0 }, constant, other, CPU, null).Run([batch]);
            Assert.Equal((1 << 8, 1, 2), (state.Scale.Value, state.Scale.GoodSteps, state.Step));
            Assert.Equal(Weights(other), Weights(state));
        }
    }

    /// <summary>A scale is a power of two: what does not overflow or underflow has the same bits with any.</summary>
    [Fact]
    public void The_scale_does_not_change_the_weights()
    {
        TrainOptions options = Toy.Options with { Precision = Precision.Float16 };
        string[] weights = [.. new[] { 1 << 2, 1 << 8 }.Select(scale =>
        {
            using TrainingState state = State(options);
            state.Scale!.Restore(scale, 0);
            using TrainingBatch batch = Batch();
            Step(options, state).Run([batch]);
            Assert.Equal(0, state.Optimizer.Skipped);
            return Weights(state);
        })];
        Assert.Equal(weights[0], weights[1]);
    }

    [Fact]
    public void What_is_not_finite_without_the_scale_is_named_and_leaves_the_scale()
    {
        TrainOptions options = Toy.Options with { Precision = Precision.Float16 };
        using TrainingState state = State(options);
        using TrainingBatch batch = Batch();
        using (no_grad())
        {
            state.Parameters.First(p => p.Name == "backbone.layers.fc1.weight").Value.fill_(float.NaN);
        }

        NonFiniteException refused = Assert.Throws<NonFiniteException>(() => Step(options, state).Run([batch]));
        Assert.Equal("the weights backbone.layers.fc1.weight is not finite", refused.Message);
        Assert.Equal((LossScale.Initial, 0), (state.Scale!.Value, state.Optimizer.Skipped));
    }

    /// <summary>Embeddings of length 1e-4 have gradients beyond float16's largest value at any scale.</summary>
    [Fact]
    public void A_run_whose_gradients_overflow_at_any_scale_ends_with_one_line_that_says_what_to_do()
    {
        TrainOptions options = Toy.Options with { Precision = Precision.Float16, Epochs = 30, Batch = 2 };
        List<string> warnings = [];
        using Trainer trainer = Toy.Open(folder, options, backbone: () => new ToyBackbone(half: 1e-5));
        TrainingEvents events = new() { Warning = warnings.Add };
        string message = Assert.Throws<UniFaceException>(() => trainer.Run(events, TestContext.Current.CancellationToken)).Message;
        Assert.Contains("step 17, epoch 2: the gradient of backbone.", message, StringComparison.Ordinal);
        Assert.Contains("in float16, with the smallest loss scale (1), is not finite", message, StringComparison.Ordinal);
        Assert.Contains("Use precision bfloat16 or float32, or lower the margin", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
        Assert.Contains(warnings, warning => warning.Contains("float16 is emulated on the CPU", StringComparison.Ordinal));
    }

    [Fact]
    public void A_checkpoint_has_the_state_of_the_scale_and_a_damaged_one_is_refused()
    {
        TrainOptions options = Toy.Options with { Precision = Precision.Float16 };
        string path = Path.Combine(folder, "last.ckpt");
        using TrainingState state = State(options);
        using TrainingBatch batch = Batch();
        state.Scale!.Restore(1L << 40, 0);
        Step(options, state).Run([batch]);
        state.Scale.Restore(1 << 6, 2);
        Step(options, state).Run([batch]);
        state.Save(path, resumable: true);
        using TrainingState loaded = State(options);
        loaded.Load(path);
        Assert.Equal((1 << 6, 3, 2, 1), (loaded.Scale!.Value, loaded.Scale.GoodSteps, loaded.Step, loaded.Optimizer.Skipped));

        TrainOptions plain = options with { Precision = Precision.Float32 };
        using TrainingState other = Toy.State(plain, 6, () => new ToyBackbone(batchNorm: false));
        other.Save(path, resumable: true);
        Assert.Contains("the metadata is damaged", Assert.Throws<UniFaceException>(() => loaded.Load(path)).Message, StringComparison.Ordinal);
    }

    private static TrainingState State(TrainOptions options) => Toy.State(options, 6, () => new ToyBackbone(batchNorm: false, half: 1));

    private static TrainingStep Step(TrainOptions options, TrainingState state) => new(options, Flat, state, CPU, null);

    /// <summary>The mean losses of some steps.</summary>
    private static double[] Train(TrainOptions options, TrainingState state, int steps)
    {
        TrainingData data = TrainingData.Create(options, new ToyDataset(6, 5), null, new ToyDecoder());
        TrainingStep step = Step(options, state);
        List<double> losses = [];
        for (int epoch = 0; losses.Count < steps; epoch++)
        {
            foreach (TrainingBatch batch in data.Loader.Read(epoch))
            {
                using (batch)
                {
                    state.Window = new RunningStatistics();
                    step.Run([batch]);
                    losses.Add(state.Window.Loss);
                }
            }
        }

        return [.. losses.Take(steps)];
    }

    /// <summary>Everything that a step updates, except the class centers that the head moves under SGD.</summary>
    private static string Hash(TrainingState state) => Weights(state) + WeightsHash.Compute(
        state.Optimizer.State.Concat(state.Average?.Values ?? new Dictionary<string, Tensor>()).ToDictionary(p => p.Key, p => p.Value));

    private static string Weights(TrainingState state) =>
        WeightsHash.Compute(state.Optimizer.Parameters.ToDictionary(p => p.Name, p => (Tensor)p.Value));

    private static TrainingBatch Batch() =>
        TrainingData.Create(Toy.Options with { Batch = 8 }, new ToyDataset(6, 5), null, new ToyDecoder()).Loader.Read(0).First();
}
