namespace UniFace.Training.Loop;

/// <summary>
/// One optimizer step: forward, head and backward over one or several batches, then clip, update and average. Leaves no tensor behind, and waits
/// for the device only for the loss, the cosines of the batch and the norm of the gradients.
/// </summary>
internal sealed class TrainingStep(TrainOptions options, LearningRateSchedule schedule, TrainingState state, Device device, float[]? classWeights)
{
    /// <summary>
    /// Norm of the gradients of the last step before clipping, without those of the class centers, which never exist all at once.
    /// </summary>
    public double GradientNorm { get; private set; }

    /// <summary>Runs a step.</summary>
    /// <param name="batches">The batches whose gradients are added; stay the caller's.</param>
    /// <returns>
    /// Null, or the name of what is not finite. In that case only buffers have changed, and class centers by finite gradients.
    /// </returns>
    public string? Run(IReadOnlyList<TrainingBatch> batches)
    {
        double images = batches.Sum(b => (double)b.Samples.Count);
        state.Optimizer.ClearGradients();
        HeadStep step = state.Head.BeginStep([.. batches.Select(b => b.Labels)], state.GetCenterUpdate(options, schedule.At(state.Step)));
        for (int i = 0; i < batches.Count; i++)
        {
            if (ForwardBackward(step, batches[i], i, batches[i].Samples.Count / images) is string nonFinite)
            {
                return nonFinite;
            }
        }

        GradientNorm = GradientClipping.Clip(state.Optimizer.Parameters, options.Clip);
        if (!double.IsFinite(GradientNorm))
        {
            return NonFiniteCheck.FirstBad(state.Parameters) ?? $"the norm of all gradients ({GradientNorm})";
        }

        state.Optimizer.Step(schedule.At(state.Step));
        state.Average?.Update(state.Step);
        state.Window.AddStep(GradientNorm);
        state.EpochSums.AddStep(GradientNorm);
        return null;
    }

    private string? ForwardBackward(HeadStep step, TrainingBatch batch, int index, double share)
    {
        using DisposeScope scope = NewDisposeScope();

        // Dropout, and anything else that draws from torch's generator, depends only on the position.
        random.manual_seed((long)(new SeededRandom(options.Seed, RandomStream.Dropout, state.Step, index).NextBits() >> 1));
        Tensor images = batch.Images.to(device);
        Tensor embeddings = state.Backbone.forward(images); // [B, D]
        using HeadOutput output = step.Add(embeddings.detach(), Weights(batch), share);
        if (!double.IsFinite(output.Loss))
        {
            return !NonFiniteCheck.IsFinite(embeddings)
                ? NonFiniteCheck.FirstBad(state.Parameters) ?? "the batch's embeddings"
                : NonFiniteCheck.FirstBad(state.Parameters) ?? "the loss";
        }

        embeddings.backward([output.EmbeddingGradient]);
        float[] target = OwnedTensors.Floats(output.TargetCosine);
        float[] hardest = OwnedTensors.Floats(output.HardestNegativeCosine);
        state.Window.AddBatch(output.Loss, target, hardest);
        state.EpochSums.AddBatch(output.Loss, target, hardest);
        return null;
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
