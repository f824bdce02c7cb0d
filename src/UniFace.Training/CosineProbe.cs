using TorchSharp;
using TorchSharp.Modules;
using UniFace.Training.Checkpoints;
using UniFace.Training.Data;
using UniFace.Training.Head;
using UniFace.Training.Head.Centers;
using UniFace.Training.Native;
using static TorchSharp.torch;

namespace UniFace.Training;

/// <summary>
/// Target and hardest-negative cosines before the first step, for the histogram that later epochs are compared with.
/// Looks at the first batches of the first epoch and leaves no trace: buffers are put back, gradients are cleared.
/// </summary>
internal static class CosineProbe
{
    private const int Images = 512;

    public static EpochMetrics Run(TrainingState state, TrainingData data, Device device, double learningRate)
    {
        using DisposeScope scope = NewDisposeScope();
        List<(Tensor Live, Tensor Kept)> buffers = [.. state.Backbone.buffers().Concat(state.Head.buffers()).Select(b => (b, b.clone()))];
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

            foreach ((Tensor live, Tensor kept) in buffers)
            {
                live.copy_(kept);
            }
        }

        foreach (Parameter parameter in state.Backbone.parameters().Concat(state.Head.parameters()))
        {
            parameter.grad = null;
        }

        return new EpochMetrics
        {
            Step = 0,
            Epoch = 0,
            Loss = sums.Loss,
            Lr = learningRate,
            TargetCosine = sums.TargetCosine,
            HardestNegativeCosine = sums.HardestNegativeCosine,
            Threshold = state.Head.Threshold,
            TargetHistogram = sums.TargetHistogram,
            HardestNegativeHistogram = sums.HardestNegativeHistogram,
        };
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
