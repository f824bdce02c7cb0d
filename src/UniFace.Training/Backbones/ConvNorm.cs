namespace UniFace.Training.Backbones;

/// <summary>A convolution without bias and its batch norm: one Conv with bias in ONNX.</summary>
internal sealed class ConvNorm : NormLayer
{
    private readonly Parameter weight;
    private readonly BatchNorm norm;
    private readonly int groups;
    private readonly long[] strides;
    private readonly long[] padding;

    public ConvNorm(WeightInitializer init, int inputs, int outputs, int kernel, int stride = 1, int padding = 0, int groups = 1)
        : base("convnorm")
    {
        weight = init.Convolution(outputs, inputs / groups, kernel);
        norm = new BatchNorm(outputs);
        this.groups = groups;
        strides = [stride, stride];
        this.padding = [padding, padding];
        RegisterComponents();
    }

    /// <summary>Type of the products while training. Grouped convolutions are memory-bound and stay in float32.</summary>
    public Precision Precision { get; set; }

    /// <summary>A convolution of each channel alone.</summary>
    public static ConvNorm Depthwise(WeightInitializer init, int channels, int kernel, int stride, int padding) =>
        new(init, channels, channels, kernel, stride, padding, channels);

    public override Tensor Run(Tensor input, GradientEngine engine, PRelu? activation, Tensor? residual)
    {
        using Tensor y = engine.Apply(input, Convolve); // [B, outputs, h, w]
        return norm.Run(y, engine, activation, residual);
    }

    private Tensor Convolve(Tensor input)
    {
        if (!training || Precision == Precision.Float32 || groups > 1)
        {
            return nn.functional.conv2d(input, weight, null, strides, padding, null, groups);
        }

        using Tensor x = input.to(ScalarType.BFloat16);
        using Tensor w = weight.to(ScalarType.BFloat16);
        using Tensor y = nn.functional.conv2d(x, w, null, strides, padding, null, groups);
        return y.to(input.dtype);
    }

    public override string Emit(OnnxGraph graph, string input)
    {
        using NoGradScope scope = new();
        (Tensor scale, Tensor shift) = norm.Affine();
        Tensor folded = BatchNorm.Double(weight) * scale.view(-1, 1, 1, 1); // [outputs, inputs / groups, k, k]
        return graph.Conv(input, folded, shift, (int)strides[0], (int)padding[0], groups);
    }

    public override void Load(OnnxWeights weights)
    {
        norm.Neutralize();
        weights.Next("Conv", weight, norm.Bias);
    }
}
