namespace UniFace.Training.Backward;

/// <summary>libtorch's own operators and graph: works on every device and for every type.</summary>
internal sealed class AutogradEngine : GradientEngine
{
    public static AutogradEngine Instance { get; } = new();

    public override Tensor Apply(Tensor input, Func<Tensor, Tensor> operation) => operation(input);

    public override Tensor Add(Tensor input, Func<GradientEngine, Tensor, Tensor> body, Func<GradientEngine, Tensor>? shortcut)
    {
        using Tensor? projected = shortcut?.Invoke(this);
        return body(this, projected ?? input);
    }
}
