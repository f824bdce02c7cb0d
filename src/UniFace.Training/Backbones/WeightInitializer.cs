using TorchSharp.Modules;
using static TorchSharp.torch;

namespace UniFace.Training.Backbones;

/// <summary>
/// Draws the first weights of a backbone. All randomness comes from one generator of its own:
/// the same seed gives the same weights, whatever else drew random numbers before.
/// </summary>
internal sealed class WeightInitializer : IDisposable
{
    private readonly Generator generator;
    private readonly double? convolutionDeviation;

    /// <param name="seed">Seed of the generator.</param>
    /// <param name="convolutionDeviation">
    /// Standard deviation of a normal for convolutions, as InsightFace draws its IResNet (0.1), or null:
    /// He's uniform with a = sqrt(5), which is U(-1/sqrt(fan in), 1/sqrt(fan in)), PyTorch's own default.
    /// </param>
    public WeightInitializer(long seed, double? convolutionDeviation = null)
    {
        generator = new Generator((ulong)seed);
        this.convolutionDeviation = convolutionDeviation;
    }

    /// <summary>A convolution's weight, [outputs, inputs / groups, kernel, kernel].</summary>
    public Parameter Convolution(int outputs, int inputsAGroup, int kernel)
    {
        Tensor weight = empty(outputs, inputsAGroup, kernel, kernel, dtype: ScalarType.Float32);
        return convolutionDeviation is double deviation
            ? Own(weight.normal_(0, deviation, generator))
            : Own(FanIn(weight, inputsAGroup * kernel * kernel));
    }

    /// <summary>A linear layer's weight, [outputs, inputs], U(-1/sqrt(inputs), 1/sqrt(inputs)).</summary>
    public Parameter Linear(int outputs, int inputs) => Own(FanIn(empty(outputs, inputs, dtype: ScalarType.Float32), inputs));

    /// <summary>A vector of one value, [size].</summary>
    public static Parameter Constant(int size, double value) => Own(full(size, value, dtype: ScalarType.Float32));

    public void Dispose() => generator.Dispose();

    private Tensor FanIn(Tensor weight, int fanIn)
    {
        double bound = 1 / Math.Sqrt(fanIn);
        return weight.uniform_(-bound, bound, generator);
    }

    // A parameter lives as long as its module, whatever dispose scope the module was built in.
    private static Parameter Own(Tensor tensor)
    {
        Parameter parameter = new(tensor);
        parameter.DetachFromDisposeScope();
        return parameter;
    }
}
