namespace UniFace.Training.Backbones;

/// <summary>Runs layers one after the other and disposes the tensors between them; the engine keeps what the backward pass needs.</summary>
internal sealed class Chain : Layer
{
    private readonly Layer[] layers;

    /// <summary>The layers in order.</summary>
    public IReadOnlyList<Layer> Layers => layers;

    public Chain(params Layer[] layers)
        : base("chain")
    {
        this.layers = layers;
        for (int i = 0; i < layers.Length; i++)
        {
            register_module($"{i}", layers[i]);
        }
    }

    /// <summary>True if a residual can be added: the chain ends in a <see cref="NormLayer"/>, or in one and its PReLU.</summary>
    public bool EndsInNorm => layers is [.., NormLayer] or [.., NormLayer, PRelu];

    public override Tensor Run(Tensor input, GradientEngine engine) => Run(input, engine, null);

    /// <summary>The same plus a residual, which requires <see cref="EndsInNorm"/>.</summary>
    public Tensor Run(Tensor input, GradientEngine engine, Tensor? residual)
    {
        Tensor x = input;
        for (int i = 0; i < layers.Length; i++)
        {
            Tensor before = x;
            if (layers[i] is NormLayer norm)
            {
                PRelu? activation = i + 1 < layers.Length ? layers[i + 1] as PRelu : null;
                i += activation is null ? 0 : 1;
                x = norm.Run(before, engine, activation, i + 1 == layers.Length ? residual : null);
            }
            else
            {
                x = layers[i].Run(before, engine);
            }

            if (!ReferenceEquals(before, input))
            {
                before.Dispose();
            }
        }

        return x;
    }

    public override string Emit(OnnxGraph graph, string input) => layers.Aggregate(input, (value, layer) => layer.Emit(graph, value));

    public override void Load(OnnxWeights weights)
    {
        foreach (Layer layer in layers)
        {
            layer.Load(weights);
        }
    }
}

/// <summary>body(x) + shortcut(x).</summary>
internal sealed class Residual : Layer
{
    private readonly Chain body;
    private readonly ConvNorm? shortcut;

    /// <param name="body">Ends in a batch norm, which adds the residual.</param>
    /// <param name="shortcut">Projects the input to the shape of the body's output; null for the identity.</param>
    public Residual(Chain body, ConvNorm? shortcut = null)
        : base("residual")
    {
        if (!body.EndsInNorm)
        {
            throw new ArgumentException("The body of a residual must end in a batch norm, with at most a PReLU after it.", nameof(body));
        }

        this.body = body;
        this.shortcut = shortcut;
        RegisterComponents();
    }

    /// <summary>What is added to the input.</summary>
    public Chain Body => body;

    public override Tensor Run(Tensor input, GradientEngine engine) => engine.Add(
        input, (inner, residual) => body.Run(input, inner, residual), shortcut is null ? null : side => shortcut.Run(input, side));

    public override string Emit(OnnxGraph graph, string input) =>
        graph.Add(body.Emit(graph, input), shortcut is null ? input : shortcut.Emit(graph, input));

    public override void Load(OnnxWeights weights)
    {
        body.Load(weights);
        shortcut?.Load(weights);
    }
}
