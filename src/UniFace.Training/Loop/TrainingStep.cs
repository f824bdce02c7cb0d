namespace UniFace.Training.Loop;

/// <summary>A part of a training step, in the order of a step with one batch.</summary>
internal enum StepPhase
{
    /// <summary>The forward pass of the backbone.</summary>
    Forward,

    /// <summary>The head, which also moves the class centers under SGD.</summary>
    Head,

    /// <summary>The backward pass of the backbone, and the sums over processes that it overlaps.</summary>
    Backward,

    /// <summary>The rest of the sums over processes.</summary>
    Reduce,

    /// <summary>Clipping, optimizer and averages.</summary>
    Optimizer,
}

/// <summary>
/// One optimizer step: forward, head and backward over one or several batches, then clip, update and average. Leaves no tensor behind, and waits
/// for the device only for the loss, the cosines of the batch and the norm of the gradients.
/// </summary>
internal sealed class TrainingStep(TrainOptions options, LearningRateSchedule schedule, TrainingState state, Device device, float[]? classWeights)
    : IDisposable
{
    private readonly BatchLoss loss = new(options, state, device, classWeights);
    private readonly GradientReducer? reducer = state.Communicator.Size == 1 ? null : new GradientReducer(
        state.Communicator, [.. state.Parameters.Where(IsOfBackbone).Select(p => p.Value)]);

    /// <summary>Called at the end of each phase, to time it.</summary>
    public Action<StepPhase>? PhaseDone { get; init; }

    /// <summary>
    /// Norm of the gradients of the last step before clipping, without those of the class centers, which never exist all at once.
    /// </summary>
    public double GradientNorm { get; private set; }

    /// <summary>
    /// Runs a step. In float16, a step whose gradients overflow by the loss scale is skipped by all processes, and the scale is halved: backbone,
    /// optimizer and averages stay as they are. Under SGD the head has moved the class centers before that, by their float32 gradients.
    /// </summary>
    /// <param name="batches">The batches whose gradients are added; not disposed.</param>
    /// <exception cref="NonFiniteException">
    /// The loss or a gradient is not finite. Then only buffers have changed, and class centers by finite gradients.
    /// </exception>
    public void Run(IReadOnlyList<TrainingBatch> batches)
    {
        double images = batches.Sum(b => (double)b.Samples.Count);
        double learningRate = schedule.At(state.Step);
        state.Optimizer.ClearGradients();
        HeadStep? step = loss.BeginStep(batches, state.GetCenterUpdate(learningRate));
        for (int i = 0; i < batches.Count; i++)
        {
            reducer?.Begin(last: i == batches.Count - 1);
            ForwardBackward(step, batches[i], i, batches[i].Samples.Count / images);
            reducer?.EndPass();
        }

        reducer?.Complete();
        PhaseDone?.Invoke(StepPhase.Reduce);
        state.Scale?.Unscale(state.Optimizer.Parameters.Where(IsOfBackbone));
        GradientNorm = GradientClipping.Clip(state.Optimizer.Parameters, options.Clip, state.Communicator);
        if (!double.IsFinite(GradientNorm))
        {
            bool scaled = state.Scale is not null && IsHeadFinite();
            if (scaled && state.Scale!.TryReduce())
            {
                state.Optimizer.Skip();
                return;
            }

            string what = NonFiniteCheck.FindFirst(state.Parameters) ?? $"the norm of all gradients ({GradientNorm})";
            string how = scaled ? $" in float16, with the smallest loss scale ({LossScale.Minimum})," : "";
            throw new NonFiniteException(what + how, batches.SelectMany(b => b.Samples));
        }

        state.Scale?.AddGoodStep();
        state.Optimizer.Step(learningRate);
        state.Average?.Update(state.Step);
        state.AddStep(GradientNorm);
        PhaseDone?.Invoke(StepPhase.Optimizer);
    }

    /// <summary>Disposes the memory of the sums over processes.</summary>
    public void Dispose()
    {
        state.Backbone.LayerDone = null;
        reducer?.Dispose();
    }

    private static bool IsOfBackbone(NamedParameter parameter) => parameter.Name.StartsWith(Checkpoint.BackbonePrefix, StringComparison.Ordinal);

    /// <summary>
    /// Whether the parameters of the head and their gradients, which have no loss scale, are finite on all processes. All call it, since the norm is
    /// that of the gradients of all.
    /// </summary>
    private bool IsHeadFinite()
    {
        string? first = NonFiniteCheck.FindFirst([.. state.Parameters.Where(p => !IsOfBackbone(p))]);
        Span<float> found = [first is null ? 0 : 1];
        state.Communicator.AllReduce(found, Reduction.Max, Traffic.Other);
        return found[0] == 0;
    }

    private void ForwardBackward(HeadStep? step, TrainingBatch batch, int index, double share)
    {
        using DisposeScope scope = NewDisposeScope();

        // Dropout, and anything else that draws from torch's generator, depends only on the position.
        random.manual_seed((long)(new SeededRandom(options.Seed, RandomStream.Dropout, state.Step, index).NextBits() >> 1));
        state.Backbone.LayerDone = reducer is null ? null : reducer.LayerDone;
        Tensor images = batch.Images.to(device);
        Tensor embeddings = state.Backbone.forward(images); // [B, D]
        DeviceProof.RequireOn(embeddings, device, "the network");
        PhaseDone?.Invoke(StepPhase.Forward);
        using HeadOutput output = loss.Compute(step, embeddings, batch, share);
        if (!double.IsFinite(output.Loss))
        {
            string computed = NonFiniteCheck.IsFinite(embeddings) ? "the loss" : "the batch's embeddings";
            throw new NonFiniteException(NonFiniteCheck.FindFirst(state.Parameters) ?? computed, batch.Samples);
        }

        PhaseDone?.Invoke(StepPhase.Head);
        Tensor gradient = state.Scale is LossScale scale ? output.EmbeddingGradient * (float)scale.Value : output.EmbeddingGradient;
        embeddings.backward([gradient]);
        PhaseDone?.Invoke(StepPhase.Backward);
        state.AddBatch(output.Loss, OwnedTensors.Floats(output.TargetCosine), OwnedTensors.Floats(output.HardestNegativeCosine));
    }
}
