using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Checkpoints;
using UniFace.Training.Data;
using UniFace.Training.Loop;
using UniFace.Training.Losses;
using UniFace.Training.Optimization;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Loop;

[Collection(Alone.Name)]
public sealed class TrainingStepTests
{
    private static readonly LearningRateSchedule Flat = new(ScheduleKind.Poly, 0.05, 1_000_000, Power: 1);

    [Fact]
    public void Two_batches_accumulated_are_one_batch_of_both()
    {
        TrainOptions options = Toy.Options with { Batch = 8 };
        using TrainingState whole = Toy.State(options, 6, () => new ToyBackbone(batchNorm: false));
        using TrainingState parts = Toy.State(options, 6, () => new ToyBackbone(batchNorm: false));
        using TrainingBatch both = Batch(options);
        using TrainingBatch first = Slice(both, 0, 3);
        using TrainingBatch second = Slice(both, 3, 8);
        for (int i = 0; i < 3; i++)
        {
            Assert.Null(Step(options, whole).Run([both]));
            Assert.Null(Step(options, parts).Run([first, second]));
        }

        foreach ((NamedParameter a, NamedParameter b) in whole.Optimizer.Parameters.Zip(parts.Optimizer.Parameters))
        {
            using torch.Tensor difference = (a.Value - b.Value).abs().max();
            Assert.True(difference.item<float>() < 2e-5, $"{a.Name}: {difference.item<float>()}");
        }

        Assert.Equal(whole.Window.Loss, parts.Window.Loss, 1e-4);
        Assert.Equal(whole.Window.TargetCosine, parts.Window.TargetCosine, 1e-5);
    }

    [Fact]
    public void A_class_of_weight_zero_moves_nothing()
    {
        TrainOptions options = Toy.Options with { Batch = 8, WeightDecay = 0 };
        using TrainingState state = Toy.State(options, 6);
        using TrainingBatch batch = Batch(options);
        string before = WeightsHash.Compute(Parameters(state));
        Assert.Null(new TrainingStep(options, Flat, state, torch.CPU, new float[6]).Run([batch]));
        Assert.Equal(before, WeightsHash.Compute(Parameters(state)));
        Assert.Null(new TrainingStep(options, Flat, state, torch.CPU, [1, 1, 1, 1, 1, 1]).Run([batch]));
        Assert.NotEqual(before, WeightsHash.Compute(Parameters(state)));
    }

    [Fact]
    public void The_cosine_probe_before_the_first_step_changes_no_state()
    {
        TrainOptions options = Toy.Options with { Loss = new UnifiedCrossEntropy { NegativeRate = 0.5 } };
        TrainingData data = TrainingData.Create(options, new ToyDataset(6, 5), null, new ToyDecoder());
        using TrainingState state = Toy.State(options, 6, () => new ToyBackbone(dropout: true));
        string before = state.WeightsSha256();
        EpochMetrics row = CosineProbe.Run(state, data, torch.CPU, 0.1);
        Assert.Equal(before, state.WeightsSha256());
        Assert.All(state.Optimizer.Parameters, p => Assert.Null(p.Value.grad));
        Assert.Equal(28, row.TargetHistogram.Sum());
        Assert.InRange(row.TargetCosine, -1, 1);
    }

    [Fact]
    public void A_gradient_that_is_not_finite_is_named_by_the_layer_where_it_arose()
    {
        TrainOptions options = Toy.Options;
        using TrainingState state = Toy.State(options, 6);
        using TrainingBatch batch = Batch(options with { Batch = 8 });
        Parameter weight = state.Optimizer.Parameters.First(p => p.Name == "backbone.layers.fc2.weight").Value;
        using (torch.no_grad())
        {
            weight.fill_(float.PositiveInfinity);
        }

        Assert.Equal("the weights backbone.layers.fc2.weight", Step(options, state).Run([batch]));
    }

    private static TrainingStep Step(TrainOptions options, TrainingState state) => new(options, Flat, state, torch.CPU, null);

    private static Dictionary<string, torch.Tensor> Parameters(TrainingState state) =>
        state.Optimizer.Parameters.ToDictionary(p => p.Name, p => (torch.Tensor)p.Value);

    private static TrainingBatch Batch(TrainOptions options)
    {
        TrainingData data = TrainingData.Create(options, new ToyDataset(6, 5), null, new ToyDecoder());
        foreach (TrainingBatch batch in data.Loader.Read(0))
        {
            return batch;
        }

        throw new InvalidOperationException("no batch");
    }

    private static TrainingBatch Slice(TrainingBatch batch, int from, int to) => new(
        batch.Images[from..to].clone(),
        batch.Labels[from..to].clone(),
        [.. batch.Samples.Skip(from).Take(to - from)]);
}
