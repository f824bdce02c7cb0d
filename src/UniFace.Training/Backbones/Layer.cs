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

/// <summary>A last layer that is linear in evaluation mode.</summary>
internal interface IEmbeddingLayer
{
    /// <summary>What is added to every embedding, [D].</summary>
    Parameter Bias { get; }

    /// <summary>The layer in evaluation mode: two float64 tensors.</summary>
    /// <returns>Weights, [D, inputs], and what is added to each value, [D].</returns>
    (Tensor Weight, Tensor Shift) Fold();

    /// <summary>Makes it, in evaluation mode, the linear layer that <see cref="Fold"/> describes.</summary>
    void SetFolded(Tensor folded, Tensor shift);
}

/// <summary>A layer that ends in a batch norm, which can be fused with the operations after it.</summary>
internal abstract class NormLayer(string name) : Layer(name)
{
    /// <summary>act(layer(input)) + residual.</summary>
    public abstract Tensor Run(Tensor input, GradientEngine engine, PRelu? activation, Tensor? residual);

    public sealed override Tensor Run(Tensor input, GradientEngine engine) => Run(input, engine, null, null);
}
