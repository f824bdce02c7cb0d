namespace UniFace.Training.Backward;

/// <summary>libtorch's own operators and graph: works on every device and for every type.</summary>
internal sealed class AutogradEngine : IGradientEngine
{
    public static AutogradEngine Instance { get; } = new();

    public Tensor Apply(Tensor input, Func<Tensor, Tensor> operation) => operation(input);

    public Tensor Normalize(Tensor input, NormState norm, Parameter? slope, Tensor? residual)
    {
        Tensor output = norm.Apply(input);
        if (slope is not null)
        {
            using Tensor before = output;
            output = before.prelu(slope);
        }

        return residual is null ? output : output.add_(residual); // Neither batch_norm nor prelu saves its output for the backward pass.
    }

    public Tensor Add(Tensor input, Func<IGradientEngine, Tensor, Tensor> body, Func<IGradientEngine, Tensor>? shortcut)
    {
        using Tensor? projected = shortcut?.Invoke(this);
        return body(this, projected ?? input);
    }
}
