namespace UniFace.Training.Backward;

/// <summary>A pass on a <see cref="TapeEngine"/> as one node of libtorch's graph, so that <c>embeddings.backward(gradient)</c> runs the tape.</summary>
internal sealed class TapeFunction : autograd.SingleTensorFunction<TapeFunction>
{
    private const string TapeKey = "tape";

    public override string Name => nameof(TapeFunction);

    /// <summary>Runs layers on a recording engine.</summary>
    /// <param name="input">Their input.</param>
    /// <param name="anchor">Any parameter that requires a gradient: it makes the output require one.</param>
    /// <param name="forward">Runs the layers.</param>
    /// <param name="layerDone">Called after each layer of the backward pass; null for nothing.</param>
    public static Tensor Run(Tensor input, Tensor anchor, Func<Tensor, GradientEngine, Tensor> forward, Action? layerDone = null) =>
        apply(input, anchor, forward, layerDone!);

    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        Tensor input = (Tensor)vars[0];
        TapeEngine tape = new(records: true, input.requires_grad, (Action?)vars[3]);
        Tensor output = ((Func<Tensor, GradientEngine, Tensor>)vars[2])(input, tape);
        tape.Record(gradient => gradient.alias(), output); // apply() returns a tensor of its own: the tape disposes this one.
        ctx.save_data(TapeKey, tape);
        return output;
    }

    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using Tensor gradient = grad_output;
        return [((TapeEngine)ctx.get_data(TapeKey)).Backward(gradient)!, null!, null!, null!];
    }
}
