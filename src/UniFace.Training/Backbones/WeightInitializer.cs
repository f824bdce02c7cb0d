namespace UniFace.Training.Backbones;

/// <summary>
/// Draws the initial weights of a backbone from a generator of its own: the same seed gives the same weights, whatever else drew random
/// numbers before.
/// </summary>
/// <param name="seed">Seed of the generator.</param>
/// <param name="convolutionDeviation">
/// Standard deviation of the normal distribution for convolutions, as InsightFace initializes IResNet (0.1), or null for PyTorch's default:
/// He's uniform distribution with a = sqrt(5), which is U(-1/sqrt(fan in), 1/sqrt(fan in)).
/// </param>
internal sealed class WeightInitializer(long seed, double? convolutionDeviation = null) : IDisposable
{
    private readonly Generator generator = new((ulong)seed);

    /// <summary>The weight of a convolution, [outputs, inputs / groups, kernel, kernel].</summary>
    public Parameter Convolution(int outputs, int inputsPerGroup, int kernel)
    {
        Tensor weight = empty(outputs, inputsPerGroup, kernel, kernel, dtype: ScalarType.Float32);
        return OwnedTensors.Parameter(convolutionDeviation is double deviation
            ? weight.normal_(0, deviation, generator)
            : FanIn(weight, inputsPerGroup * kernel * kernel));
    }

    /// <summary>The weight of a linear layer, [outputs, inputs], from U(-1/sqrt(inputs), 1/sqrt(inputs)).</summary>
    public Parameter Linear(int outputs, int inputs) => OwnedTensors.Parameter(FanIn(empty(outputs, inputs, dtype: ScalarType.Float32), inputs));

    /// <summary>A vector with one value, [size].</summary>
    public static Parameter Constant(int size, double value) => OwnedTensors.Parameter(full(size, value, dtype: ScalarType.Float32));

    public void Dispose() => generator.Dispose();

    private Tensor FanIn(Tensor weight, int fanIn)
    {
        double bound = 1 / Math.Sqrt(fanIn);
        return weight.uniform_(-bound, bound, generator);
    }
}
