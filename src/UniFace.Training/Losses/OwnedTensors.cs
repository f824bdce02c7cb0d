using TorchSharp.Modules;
using static TorchSharp.torch;

namespace UniFace.Training.Losses;

/// <summary>Tensors that belong to a module, whatever dispose scope they are made in, and tensors' values.</summary>
internal static class OwnedTensors
{
    /// <summary>A parameter of a start value.</summary>
    public static Parameter Parameter(Tensor start)
    {
        Parameter parameter = new(start.DetachFromDisposeScope());
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>A buffer of a start value.</summary>
    public static Tensor Buffer(Tensor start) => start.DetachFromDisposeScope();

    /// <summary>A tensor of one value as a number.</summary>
    public static double Value(Tensor tensor)
    {
        using Tensor detached = tensor.detach();
        using Tensor value = detached.to(ScalarType.Float64, CPU);
        return value.item<double>();
    }

    /// <summary>A tensor's values in float32 on the host; its copies go with the dispose scope around.</summary>
    public static float[] Floats(Tensor tensor) => tensor.detach().to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
}
