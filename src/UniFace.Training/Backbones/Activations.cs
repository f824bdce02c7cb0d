namespace UniFace.Training.Backbones;

/// <summary>PReLU with a learned slope per channel (He et al. 2015), initially 0.25.</summary>
internal sealed class PRelu : Layer
{
    private readonly Parameter weight;

    public PRelu(int channels)
        : base("prelu")
    {
        weight = WeightInitializer.Constant(channels, 0.25);
        RegisterComponents();
    }

    /// <summary>The slopes, [C].</summary>
    public Parameter Slope => weight;

    public override Tensor Run(Tensor input, GradientEngine engine) => engine.Apply(input, x => x.prelu(weight));

    public override string Emit(OnnxGraph graph, string input) => graph.PRelu(input, weight);

    public override void Load(OnnxWeights weights)
    {
        using Tensor slopes = weight.detach().view(-1, 1, 1); // [C, 1, 1], the same memory
        weights.Next("PRelu", slopes);
    }
}

/// <summary>SiLU, x * sigmoid(x).</summary>
internal sealed class Silu() : Layer("silu")
{
    public override Tensor Run(Tensor input, GradientEngine engine) => engine.Apply(input, x => nn.functional.silu(x));

    public override string Emit(OnnxGraph graph, string input) => graph.Mul(input, graph.Sigmoid(input));
}
