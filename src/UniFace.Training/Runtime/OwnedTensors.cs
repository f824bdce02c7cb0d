namespace UniFace.Training.Runtime;

/// <summary>Tensors that belong to a module, whatever dispose scope they are created in, and the values of tensors.</summary>
internal static class OwnedTensors
{
    /// <summary>A parameter with an initial value, which it owns.</summary>
    public static Parameter Parameter(Tensor initial)
    {
        Parameter parameter = new(initial.DetachFromDisposeScope());
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>A buffer with an initial value, which it owns.</summary>
    public static Tensor Buffer(Tensor initial) => initial.DetachFromDisposeScope();

    /// <summary>The value of a tensor of one element.</summary>
    public static double Value(Tensor tensor)
    {
        using Tensor detached = tensor.detach();
        using Tensor value = detached.to(ScalarType.Float64, CPU);
        return value.item<double>();
    }

    /// <summary>The values of a tensor as float32 in host memory. Temporary tensors belong to the current dispose scope.</summary>
    public static float[] Floats(Tensor tensor) => tensor.detach().to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
}
