namespace UniFace.Training.Loop;

/// <summary>
/// The loss of a run on a batch: that of its head, that of its distillation, or their weighted sum. The two know nothing of each other.
/// </summary>
/// <param name="options">The options of the run.</param>
/// <param name="state">Its state.</param>
/// <param name="device">The device that trains.</param>
/// <param name="classWeights">Weight of each class's losses, or null for all 1.</param>
internal sealed class BatchLoss(TrainOptions options, TrainingState state, Device device, float[]? classWeights = null)
{
    private readonly DistillationLoss? distillation = options.Teacher is null ? null : new DistillationLoss(options.Teacher);

    /// <summary>Begins a step of the head; null if the run does not use labels.</summary>
    public HeadStep? BeginStep(IReadOnlyList<TrainingBatch> batches, CenterUpdate update) =>
        options.UsesLabels ? state.Head.BeginStep([.. batches.Select(b => b.Labels)], update) : null;

    /// <summary>The loss of the next batch of a step and its gradient.</summary>
    /// <param name="step">The step of the head, or null.</param>
    /// <param name="embeddings">[B, D].</param>
    /// <param name="batch">The batch.</param>
    /// <param name="share">Its share of the step's images.</param>
    /// <returns>The cosines are those with class centers or, without labels, with the teacher's embeddings.</returns>
    public HeadOutput Compute(HeadStep? step, Tensor embeddings, TrainingBatch batch, double share)
    {
        double weight = options.Teacher?.Loss ?? 1;
        HeadOutput? head = step?.Add(embeddings.detach(), Weights(batch), share * weight);
        if (distillation is null)
        {
            return head!;
        }

        HeadOutput taught = distillation.Compute(embeddings, batch.Targets!, share);
        if (head is null)
        {
            return taught;
        }

        using (taught)
        {
            head.EmbeddingGradient.add_(taught.EmbeddingGradient);
            return head with { Loss = (weight * head.Loss) + taught.Loss };
        }
    }

    private Tensor? Weights(TrainingBatch batch)
    {
        if (classWeights is null)
        {
            return null;
        }

        float[] weights = [.. batch.Labels.data<long>().Select(label => classWeights[label])];
        return tensor(weights).to(device); // [B]
    }
}
