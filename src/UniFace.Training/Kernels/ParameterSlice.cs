namespace UniFace.Training.Kernels;

/// <summary>A slice of a parameter with its gradient and optimizer state, all in the same memory order.</summary>
/// <param name="Value">Address of the parameter's values.</param>
/// <param name="Gradient">Address of its gradient.</param>
/// <param name="State">Address of its first optimizer state, or 0.</param>
/// <param name="Second">Address of its second optimizer state, or 0.</param>
/// <param name="Length">Number of values.</param>
/// <param name="Decays">Whether weight decay applies.</param>
internal readonly record struct ParameterSlice(nint Value, nint Gradient, nint State, nint Second, int Length, bool Decays)
{
    /// <summary>Values per slice: what fits into a core's own cache.</summary>
    private const int MaxLength = 65536;

    /// <summary>Cuts a parameter into slices if its tensors are float32 on the CPU, dense and of the same strides.</summary>
    /// <param name="slices">Receives the slices.</param>
    /// <param name="value">The parameter.</param>
    /// <param name="gradient">Gradient of the parameter.</param>
    /// <param name="states">Its optimizer states, at most two.</param>
    /// <param name="decays">Whether weight decay applies.</param>
    /// <returns>False, with nothing added, if the tensors do not allow it.</returns>
    public static bool TryAdd(
        List<ParameterSlice> slices, Tensor value, Tensor gradient, IReadOnlyList<Tensor>? states = null, bool decays = false)
    {
        states ??= [];
        long[] strides = value.stride();
        if (!IsDense(value, strides) || !states.Append(gradient).All(HasSameLayout))
        {
            return false;
        }

        nint v = TensorMemory.Address(value), g = TensorMemory.Address(gradient);
        nint first = states.Count > 0 ? TensorMemory.Address(states[0]) : 0, second = states.Count > 1 ? TensorMemory.Address(states[1]) : 0;
        long count = value.numel();
        for (long start = 0; start < count; start += MaxLength)
        {
            nint offset = (nint)(start * sizeof(float));
            int length = (int)Math.Min(MaxLength, count - start);
            slices.Add(new ParameterSlice(
                v + offset, g + offset, first == 0 ? 0 : first + offset, second == 0 ? 0 : second + offset, length, decays));
        }

        return true;

        bool HasSameLayout(Tensor other) => IsFloatOnCpu(other) && other.stride().AsSpan().SequenceEqual(strides);
    }

    private static bool IsFloatOnCpu(Tensor tensor) =>
        tensor.dtype == ScalarType.Float32 && tensor.device_type == DeviceType.CPU;

    private static bool IsDense(Tensor tensor, long[] strides)
    {
        // Sorted by stride, each dimension of a dense tensor begins where the smaller ones end.
        long expected = 1;
        foreach ((long length, long stride) in tensor.shape.Zip(strides).Where(s => s.First != 1).OrderBy(s => s.Second))
        {
            if (stride != expected)
            {
                return false;
            }

            expected *= length;
        }

        return IsFloatOnCpu(tensor);
    }
}
