namespace UniFace.Training.Backward;

/// <summary>
/// Batch norm, PReLU and residual sums as fused kernels for channels-last float32 tensors on the CPU, with a backward step per layer recorded
/// on a tape. libtorch's graph keeps the tensors of each operator until the end; the tape runs a layer backward together with what follows it
/// and frees every tensor after its last use.
/// </summary>
/// <param name="records">True: <see cref="Backward"/> will be called. False: a forward pass without gradients.</param>
/// <param name="inputNeedsGradient">Whether the gradient of the engine's first input is needed.</param>
/// <param name="layerDone">Called after each recorded step of the backward pass; null for nothing.</param>
internal sealed class TapeEngine(bool records, bool inputNeedsGradient = false, Action? layerDone = null) : GradientEngine
{
    private readonly Stack<(Func<Tensor, Tensor?> Backward, Tensor[] Saved)> steps = [];

    private bool NeedsGradient => inputNeedsGradient || steps.Count > 0;

    public override Tensor Apply(Tensor input, Func<Tensor, Tensor> operation)
    {
        if (!records)
        {
            return operation(input);
        }

        Tensor x = input.detach();
        x.requires_grad_(NeedsGradient);
        Tensor y;
        using (enable_grad())
        {
            y = operation(x);
        }

        if (!y.requires_grad) // Neither the input nor a parameter of the layer needs a gradient.
        {
            x.Dispose();
            return y;
        }

        Record(Back, x, y);
        return y.detach();

        Tensor? Back(Tensor gradient)
        {
            y.backward([gradient]);
            return x.requires_grad ? x.grad : null;
        }
    }

    public override Tensor Normalize(Tensor input, NormState norm, Parameter? slope, Tensor? residual)
    {
        if ((norm.Training || !records) && FusedNorm.Supports(input) && (residual is null || ChannelsLastView.Fits(residual)))
        {
            FusedNorm fused = new(norm, slope);
            Tensor result = fused.Forward(input, residual);
            if (records)
            {
                Tensor saved = input.alias();
                Record(gradient => fused.Backward(saved, gradient), saved);
            }

            return result;
        }

        return norm is { Training: true, Synchronized: ICommunicator communicator }
            ? NormalizeSynchronized(input, norm, communicator, slope, residual)
            : base.Normalize(input, norm, slope, residual);
    }

    public override Tensor Add(Tensor input, Func<GradientEngine, Tensor, Tensor> body, Func<GradientEngine, Tensor>? shortcut)
    {
        bool needed = NeedsGradient;
        TapeEngine inner = new(records, needed, layerDone), side = new(records, needed, layerDone);
        using Tensor? projected = shortcut?.Invoke(side);
        Tensor output = body(inner, projected ?? input);
        if (records && (needed || inner.steps.Count + side.steps.Count > 0))
        {
            Record(gradient =>
            {
                using Tensor? ofShortcut = shortcut is null ? null : side.Run(gradient);
                Tensor? ofBody = inner.Run(gradient);
                return needed ? ofBody!.add_(ofShortcut ?? gradient) : null;
            });
        }

        return output;
    }

    private Tensor NormalizeSynchronized(Tensor input, NormState norm, ICommunicator communicator, Parameter? slope, Tensor? residual)
    {
        SynchronizedNorm synchronized = new(norm, communicator);
        Tensor output = synchronized.Forward(input);
        if (records)
        {
            Tensor saved = input.alias();
            Record(gradient => synchronized.Backward(saved, gradient), saved);
        }

        if (slope is not null)
        {
            using Tensor before = output;
            output = Apply(before, x => x.prelu(slope));
        }

        return residual is null ? output : output.add_(residual);
    }

    /// <summary>Runs all recorded steps backward; may be called once. Adds to the parameters' gradients.</summary>
    /// <param name="gradient">Gradient of the output; not disposed.</param>
    /// <returns>The gradient of the input, or null if it is not needed.</returns>
    public Tensor? Backward(Tensor gradient)
    {
        Tensor? current = gradient;
        while (steps.TryPop(out (Func<Tensor, Tensor?> Backward, Tensor[] Saved) step))
        {
            Tensor? next = step.Backward(current ?? throw new InvalidOperationException("A layer returned no gradient of its input."));
            if (!ReferenceEquals(current, gradient))
            {
                current.Dispose();
            }

            foreach (Tensor tensor in step.Saved)
            {
                tensor.Dispose();
            }

            current = next;
            layerDone?.Invoke();
        }

        return current;
    }

    /// <summary><see cref="Backward"/>, or null if no step was recorded.</summary>
    private Tensor? Run(Tensor gradient) => steps.Count == 0 ? null : Backward(gradient);

    /// <summary>Adds the backward step of the newest layer. It takes over the saved tensors and disposes them after it has run.</summary>
    public void Record(Func<Tensor, Tensor?> backward, params Tensor[] saved)
    {
        foreach (Tensor tensor in saved)
        {
            tensor.DetachFromDisposeScope(); // The forward pass may run in a scope that ends before the backward pass.
        }

        steps.Push((backward, saved));
    }
}
