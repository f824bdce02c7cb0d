namespace UniFace.Training.Loop;

/// <summary>
/// Target and hardest-negative cosines before the first step, to compare later epochs with. Uses the first batches of the first epoch and
/// restores everything it changes: buffers and gradients.
/// </summary>
internal static class CosineProbe
{
    private const int Images = 512;

    public static EpochMetrics Run(TrainOptions options, TrainingState state, TrainingData data, Device device, double learningRate)
    {
        using DisposeScope scope = NewDisposeScope();
        List<(Tensor Live, Tensor Saved)> buffers = [.. state.Backbone.buffers().Concat(state.Head.buffers()).Select(b => (b, b.clone()))];
        RunningStatistics sums = new();
        int images = 0;
        BatchLoss loss = new(options, state, device);
        using (no_grad())
        {
            foreach (TrainingBatch batch in data.Loader.Read(0))
            {
                using (batch)
                {
                    AddBatch(loss, state, batch, device, sums);
                    images += batch.Samples.Count;
                }

                if (images >= Images)
                {
                    break;
                }
            }

            foreach ((Tensor live, Tensor saved) in buffers)
            {
                live.copy_(saved);
            }
        }

        foreach (Parameter parameter in state.Backbone.parameters().Concat(state.Head.parameters()))
        {
            parameter.grad = null;
        }

        RunningStatistics.MoveToFirst(state.Communicator, sums);
        return EpochMetrics.From(sums, state, learningRate);
    }

    private static void AddBatch(BatchLoss loss, TrainingState state, TrainingBatch batch, Device device, RunningStatistics sums)
    {
        using DisposeScope scope = NewDisposeScope();
        random.manual_seed(0);
        Tensor embeddings = state.Backbone.forward(batch.Images.to(device));
        using HeadOutput output = loss.Compute(loss.BeginStep([batch], CenterUpdate.None), embeddings, batch, 1);
        sums.AddBatch(output.Loss, OwnedTensors.Floats(output.TargetCosine), OwnedTensors.Floats(output.HardestNegativeCosine));
    }
}
