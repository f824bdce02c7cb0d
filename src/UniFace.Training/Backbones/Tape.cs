using static TorchSharp.torch;

namespace UniFace.Training.Backbones;

/// <summary>
/// What a forward pass leaves for its backward pass: a step back for each layer. libtorch's graph keeps each operator's tensors to
/// itself; on the tape, layers go back together with what follows them, and every tensor is gone as soon as it has been used.
/// </summary>
/// <param name="inputNeedsGradient">Whether the gradient of the pass's own input is wanted.</param>
internal sealed class Tape(bool inputNeedsGradient)
{
    private readonly Stack<(Func<Tensor, Tensor?> Back, Tensor[] Kept)> steps = [];

    /// <summary>Whether the gradient of the input of the next layer is wanted: not for the pictures themselves.</summary>
    public bool NeedsGradient => inputNeedsGradient || steps.Count > 0;

    /// <summary>Adds the step back through the newest layer.</summary>
    /// <param name="back">From the gradient of the output to a new tensor, that of the input; null where it is not wanted. Adds to the parameters' gradients.</param>
    /// <param name="kept">Tensors that the step needs; taken over, and disposed after it.</param>
    public void Add(Func<Tensor, Tensor?> back, params Tensor[] kept)
    {
        foreach (Tensor tensor in kept)
        {
            tensor.DetachFromDisposeScope(); // The pass may have been made in a scope that ends before the way back.
        }

        steps.Push((back, kept));
    }

    /// <summary>A layer as libtorch's own graph goes back through it.</summary>
    /// <param name="input">What goes in; stays the caller's.</param>
    /// <param name="forward">The layer.</param>
    public Tensor Autograd(Tensor input, Func<Tensor, Tensor> forward)
    {
        Tensor x = input.detach();
        x.requires_grad_(NeedsGradient);
        Tensor y;
        using (enable_grad())
        {
            y = forward(x);
        }

        Add(Back, x, y);
        return y.detach();

        Tensor? Back(Tensor gradient)
        {
            y.backward([gradient]);
            return x.requires_grad ? x.grad : null;
        }
    }

    /// <summary>Goes all the way back. Once only.</summary>
    /// <param name="gradient">Of the output; stays the caller's.</param>
    /// <returns>The gradient of the input, or null where it is not wanted.</returns>
    public Tensor? Backward(Tensor gradient)
    {
        Tensor? current = gradient;
        while (steps.TryPop(out (Func<Tensor, Tensor?> Back, Tensor[] Kept) step))
        {
            Tensor? next = step.Back(current ?? throw new InvalidOperationException("The tape was cut: a layer gave no gradient of its input."));
            if (!ReferenceEquals(current, gradient))
            {
                current.Dispose();
            }

            foreach (Tensor tensor in step.Kept)
            {
                tensor.Dispose();
            }

            current = next;
        }

        return current;
    }
}

/// <summary>A whole backbone as one node of libtorch's graph, so that <c>embeddings.backward(gradient)</c> goes back along its tape.</summary>
internal sealed class TapedPass : autograd.SingleTensorFunction<TapedPass>
{
    private const string TapeKey = "tape";

    /// <inheritdoc/>
    public override string Name => nameof(TapedPass);

    /// <summary>Embeddings of pictures.</summary>
    /// <param name="images">[B, 3, H, W].</param>
    /// <param name="anchor">Any parameter that takes a gradient: it makes the result take one.</param>
    /// <param name="body">The layers.</param>
    public static Tensor Run(Tensor images, Tensor anchor, Layer body) => apply(images, anchor, body);

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        Tensor images = (Tensor)vars[0];
        Tape tape = new(images.requires_grad);
        Tensor embeddings = ((Layer)vars[2]).Run(images, tape);
        tape.Add(gradient => gradient.alias(), embeddings); // The node gives out a tensor of its own.
        ctx.save_data(TapeKey, tape);
        return embeddings;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using Tensor gradient = grad_output;
        return [((Tape)ctx.get_data(TapeKey)).Backward(gradient)!, null!, null!];
    }
}
