namespace UniFace.Training.Loop;

/// <summary>
/// Target and hardest-negative cosines before the first step, to compare later epochs with. Uses the first batches of the first epoch and
/// restores everything it changes: buffers and gradients.
/// </summary>
internal static class CosineProbe
{
    private const int Images = 512;

    public static EpochMetrics Run(TrainingState state, TrainingData data, Device device, double learningRate)
    {
        using DisposeScope scope = NewDisposeScope();
        List<(Tensor Live, Tensor Saved)> buffers = [.. state.Backbone.buffers().Concat(state.Head.buffers()).Select(b => (b, b.clone()))];
        RunningStatistics sums = new();
        using (no_grad())
        {
            foreach (TrainingBatch batch in data.Loader.Read(0))
            {
                using (batch)
                {
                    AddBatch(state, batch, device, sums);
                }

                if (sums.Images >= Images)
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

        return EpochMetrics.From(sums, state, learningRate);
    }

    private static void AddBatch(TrainingState state, TrainingBatch batch, Device device, RunningStatistics sums)
    {
        using DisposeScope scope = NewDisposeScope();
        random.manual_seed(0);
        Tensor embeddings = state.Backbone.forward(batch.Images.to(device));
        using HeadOutput output = state.Head.ForwardBackward(embeddings, batch.Labels.to(device), update: CenterUpdate.None);
        sums.AddBatch(output.Loss, OwnedTensors.Floats(output.TargetCosine), OwnedTensors.Floats(output.HardestNegativeCosine));
    }
}
