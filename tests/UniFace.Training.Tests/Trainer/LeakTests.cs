using TorchSharp;
using UniFace.Training.Checkpoints;
using UniFace.Training.Data;
using UniFace.Training.Optimization;

namespace UniFace.Training.Tests.Trainer;

[Collection(Alone.Name)]
public sealed class LeakTests
{
    /// <summary>The gate against leaks: native memory is invisible to the collector, so the count must not move at all.</summary>
    [Fact]
    public void A_thousand_steps_leave_no_tensor_behind()
    {
        TrainOptions options = Toy.Options with { Ema = 0.99, Accumulate = 2 };
        TrainingData data = TrainingData.Create(options, new ToyDataset(6, 5), null, new ToyDecoder());
        using TrainingState state = Toy.State(options, 6, () => new ToyBackbone(dropout: true));
        TrainingStep step = new(options, new LearningRateSchedule(ScheduleKind.Poly, 0.05, 2000), state, torch.CPU, null);
        List<TrainingBatch> group = [];
        List<long> counts = [];
        int steps = 0;
        for (int epoch = 0; steps < 1000; epoch++)
        {
            foreach (TrainingBatch batch in data.Loader.Read(epoch, 0, TestContext.Current.CancellationToken))
            {
                group.Add(batch);
                if (group.Count == 2)
                {
                    Assert.Null(step.Run(group));
                    steps++;
                    group.ForEach(b => b.Dispose());
                    group.Clear();
                }
            }

            group.ForEach(b => b.Dispose());
            group.Clear();
            counts.Add(torch.Tensor.TotalCount);
        }

        // The first epoch makes the optimizer's state; from then on the count is one number.
        Assert.Equal((counts[1], counts[1]), (counts.Skip(1).Min(), counts.Max()));
    }
}
