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
        return training && groups == 1
            ? Convolve(input, weight, strides, padding, Precision)
            : nn.functional.conv2d(input, weight, null, strides, padding, null, groups);
    }

    /// <summary>
    /// A convolution whose products have a type. On the CPU, which has fast kernels of float16 on few processors, float16 is emulated: inputs,
    /// weights and outputs, and their gradients, are rounded to float16, between convolutions in float32. This is the arithmetic of a GPU, which
    /// multiplies float16 and adds in float32.
    /// </summary>
    /// <param name="input">[B, C, h, w], float32.</param>
    /// <param name="weight">[outputs, C, k, k], float32.</param>
    /// <param name="strides">Strides of rows and columns.</param>
    /// <param name="padding">Padding of rows and columns.</param>
    /// <param name="precision">The type.</param>
    /// <returns>[B, outputs, h', w'], float32.</returns>
    public static Tensor Convolve(Tensor input, Tensor weight, long[] strides, long[] padding, Precision precision)
    {
        if (precision == Precision.Float32)
        {
            return nn.functional.conv2d(input, weight, null, strides, padding);
        }

        ScalarType type = precision == Precision.Float16 ? ScalarType.Float16 : ScalarType.BFloat16;
        using Tensor x = input.to(type);
        using Tensor w = weight.to(type);
        using Tensor y = precision == Precision.Float16 && input.device_type == DeviceType.CPU
            ? Emulate(x, w, strides, padding)
            : nn.functional.conv2d(x, w, null, strides, padding);
        return y.to(input.dtype);
    }

    private static Tensor Emulate(Tensor input, Tensor weight, long[] strides, long[] padding)
    {
        using Tensor x = input.to(ScalarType.Float32);
        using Tensor w = weight.to(ScalarType.Float32);
        using Tensor y = nn.functional.conv2d(x, w, null, strides, padding);
        return y.to(ScalarType.Float16);
    }

    /// <summary>Convolution and norm in evaluation mode as one convolution: two float64 tensors.</summary>
    /// <returns>Weights, [outputs, inputs / groups, k, k], and what is added to each output, [outputs].</returns>
    public (Tensor Weight, Tensor Shift) Fold()
    {
        using NoGradScope scope = new();
        (Tensor scale, Tensor shift) = norm.Affine();
        Tensor folded = BatchNorm.Double(weight) * scale.view(-1, 1, 1, 1);
        return (folded.MoveToOuterDisposeScope(), shift.MoveToOuterDisposeScope());
    }

    /// <summary>Makes it, in evaluation mode, the convolution that <see cref="Fold"/> describes.</summary>
    public void SetFolded(Tensor folded, Tensor shift)
    {
        using IDisposable none = no_grad();
        norm.Neutralize();
        weight.copy_(folded.view(weight.shape));
        norm.Bias.copy_(shift);
    }

    /// <summary>
    /// Sets the norm's statistics to those of some inputs. In evaluation mode the layer does the same as before, and in training mode nearly so.
    /// </summary>
    /// <param name="inputs">Inputs of the layer, [B, inputs, h, w].</param>
    public void SetStatistics(IEnumerable<Tensor> inputs)
    {
        using NoGradScope scope = new();
        Tensor sums = zeros(weight.shape[0], ScalarType.Float64), squares = zeros_like(sums);
        long count = 0;
        foreach (Tensor input in inputs)
        {
            using DisposeScope batch = NewDisposeScope();
            Tensor y = Convolve(input);
            sums.add_(y.sum([0, 2, 3]).to(ScalarType.Float64));
            squares.add_(y.square().sum([0, 2, 3]).to(ScalarType.Float64));
            count += y.numel() / y.shape[1];
        }

        Tensor mean = sums / count;
        norm.SetStatistics(mean, ((squares / count) - mean.square()).clamp_min(0));
    }

    public override string Emit(OnnxGraph graph, string input)
    {
        using NoGradScope scope = new();
        (Tensor folded, Tensor shift) = Fold();
        return graph.Conv(input, folded, shift, (int)strides[0], (int)padding[0], groups);
    }

    public override void Load(OnnxWeights weights)
    {
        norm.Neutralize();
        weights.Next("Conv", weight, norm.Bias);
    }
}
