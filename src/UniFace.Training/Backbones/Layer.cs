namespace UniFace.Training.Backbones;

/// <summary>A layer of a backbone: runs on a gradient engine and emits itself as ONNX nodes. It returns a new tensor, never its input.</summary>
internal abstract class Layer(string name) : nn.Module<Tensor, Tensor>(name), IOnnxLayer
{
    /// <summary>Runs the layer.</summary>
    public abstract Tensor Run(Tensor input, GradientEngine engine);

    /// <inheritdoc/>
    public abstract string Emit(OnnxGraph graph, string input);

    public sealed override Tensor forward(Tensor input) => Run(input, AutogradEngine.Instance);
}

/// <summary>A layer that ends in a batch norm, which can be fused with the operations after it.</summary>
internal abstract class NormLayer(string name) : Layer(name)
{
    /// <summary>act(layer(input)) + residual.</summary>
    public abstract Tensor Run(Tensor input, GradientEngine engine, PRelu? activation, Tensor? residual);

    public sealed override Tensor Run(Tensor input, GradientEngine engine) => Run(input, engine, null, null);
}
