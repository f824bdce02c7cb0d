namespace UniFace.Training.Backbones;

/// <summary>
/// Feature map to embedding: an optional batch norm, flatten, a linear layer and a batch norm; one Gemm in ONNX.
/// The linear layer has no bias, because the batch norm after it would cancel it.
/// </summary>
internal sealed class EmbeddingHead : Layer, IEmbeddingLayer
{
    private readonly BatchNorm? before;
    private readonly Parameter weight;
    private readonly BatchNorm norm;
    private readonly int area;

    /// <param name="init">Draws the weights.</param>
    /// <param name="channels">Channels of the feature map.</param>
    /// <param name="area">Its height times its width.</param>
    /// <param name="embeddingSize">Values per embedding.</param>
    /// <param name="normalizeMap">True: a batch norm on the feature map first, as in IResNet.</param>
    public EmbeddingHead(WeightInitializer init, int channels, int area, int embeddingSize, bool normalizeMap)
        : base("embedding")
    {
        before = normalizeMap ? new BatchNorm(channels) : null;
        weight = init.Linear(embeddingSize, channels * area);
        norm = new BatchNorm(embeddingSize);
        this.area = area;
        RegisterComponents();
    }

    public Parameter Bias => norm.Bias;

    public override Tensor Run(Tensor input, GradientEngine engine)
    {
        using Tensor? map = before?.Run(input, engine);
        using Tensor y = engine.Apply(map ?? input, Project); // [B, D]
        return norm.Run(y, engine);
    }

    private Tensor Project(Tensor map)
    {
        using Tensor flat = map.flatten(1); // [B, channels * area]
        return nn.functional.linear(flat, weight);
    }

    /// <inheritdoc/>
    public (Tensor Weight, Tensor Shift) Fold()
    {
        using NoGradScope scope = new();
        Tensor linear = BatchNorm.Double(weight);
        (Tensor scale, Tensor shift) = norm.Affine(); // [D]
        if (before is not null)
        {
            (Tensor mapScale, Tensor mapShift) = before.Affine(); // [channels]
            shift = shift + (scale * linear.mv(mapShift.repeat_interleave(area)));
            linear = linear * mapScale.repeat_interleave(area);
        }

        return ((linear * scale.view(-1, 1)).MoveToOuterDisposeScope(), shift.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public void SetFolded(Tensor folded, Tensor shift)
    {
        using IDisposable none = no_grad();
        before?.Neutralize();
        norm.Neutralize();
        weight.copy_(folded);
        norm.Bias.copy_(shift);
    }

    /// <summary>Sets the norm's statistics: in evaluation mode the layer does the same as before, and in training mode nearly so.</summary>
    /// <param name="mean">Mean of the weights' products with the inputs, [D].</param>
    /// <param name="variance">Their variance, [D].</param>
    public void SetStatistics(Tensor mean, Tensor variance) => norm.SetStatistics(mean, variance);

    public override string Emit(OnnxGraph graph, string input)
    {
        using NoGradScope scope = new();
        (Tensor linear, Tensor shift) = Fold();
        return graph.Gemm(graph.Flatten(input), linear, shift);
    }

    public override void Load(OnnxWeights weights)
    {
        before?.Neutralize();
        norm.Neutralize();
        weights.Next("Gemm", weight, norm.Bias);
    }
}
