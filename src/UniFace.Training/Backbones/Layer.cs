namespace UniFace.Training.Backbones;

/// <summary>A layer of a backbone: runs on a gradient engine and emits itself as ONNX nodes. It returns a new tensor, never its input.</summary>
internal abstract class Layer(string name) : nn.Module<Tensor, Tensor>(name), IOnnxLayer
{
    /// <summary>Runs the layer.</summary>
    public abstract Tensor Run(Tensor input, GradientEngine engine);

    /// <inheritdoc/>
    public abstract string Emit(OnnxGraph graph, string input);

    /// <summary>Reads its weights, in the order in which <see cref="Emit"/> writes them. A folded batch norm becomes one that adds the bias.</summary>
    public virtual void Load(OnnxWeights weights)
    {
    }

    public sealed override Tensor forward(Tensor input) => Run(input, AutogradEngine.Instance);
}

/// <summary>A last layer that adds a bias to every embedding.</summary>
internal interface IEmbeddingLayer
{
    /// <summary>The bias, [D].</summary>
    Parameter Bias { get; }
}

/// <summary>A layer that ends in a batch norm, which can be fused with the operations after it.</summary>
internal abstract class NormLayer(string name) : Layer(name)
{
    /// <summary>act(layer(input)) + residual.</summary>
    public abstract Tensor Run(Tensor input, GradientEngine engine, PRelu? activation, Tensor? residual);

    public sealed override Tensor Run(Tensor input, GradientEngine engine) => Run(input, engine, null, null);
}
