namespace UniFace.Training.Runtime;

/// <summary>Proves by small computations, before a training starts, that a device and a type of numbers are in use. Nothing falls back silently.</summary>
internal static class DeviceProof
{
    /// <summary>Opens a device and computes on it.</summary>
    /// <param name="name">"cpu", "cuda", "cuda:1", "mps".</param>
    /// <exception cref="UniFaceException">There is no such device, or its result is on another device, of another type, or wrong.</exception>
    public static Device Open(string name)
    {
        try
        {
            Device device = new(name);
            using DisposeScope scope = NewDisposeScope();
            Tensor x = tensor(new float[] { 0, 1, 2, 3, 4, 5 }).view(2, 3).to(device);
            Require(x.matmul(x.t()), device, ScalarType.Float32, [5, 14, 14, 50]);
            if (device.type == DeviceType.CPU && !OneDnn.ConvolutionsAreRight)
            {
                throw new UniFaceException("libtorch computes wrong convolutions on this machine: its oneDNN does not work here. Train on another machine.");
            }

            return device;
        }
        catch (Exception e) when (e is ArgumentException or ExternalException or InvalidOperationException or FormatException)
        {
            string reason = e.Message.Split('\n')[0].Replace(" Trace from LoadNativeBackend:", "", StringComparison.Ordinal).TrimEnd('.');
            throw new UniFaceException(
                $"The device {name} cannot be used ({reason}); expected cpu, cuda, cuda:N or mps, and a build with " +
                "-p:TorchDevice=cuda for cuda.",
                e);
        }
    }

    /// <summary>Requires that a result is on a device and has the type and the values that were expected.</summary>
    /// <exception cref="UniFaceException">It is not or has not; the message says what was found.</exception>
    public static void Require(Tensor result, Device device, ScalarType type, IReadOnlyList<float> values)
    {
        RequireOn(result, device, "a small computation");
        float[] found = [.. result.to(ScalarType.Float32).cpu().contiguous().data<float>()];
        if (result.dtype != type || !found.SequenceEqual(values))
        {
            throw new UniFaceException(string.Create(
                CultureInfo.InvariantCulture,
                $"The device {device} computes wrong: a small computation gave {result.dtype} [{string.Join(", ", found)}], expected {type} " +
                $"[{string.Join(", ", values)}]; update its driver, or train with device cpu."));
        }
    }

    /// <summary>Requires that a tensor is on a device. Does not wait for the device.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="device">The device; without an index, any device of its type.</param>
    /// <param name="what">What the tensor is, for the message.</param>
    /// <exception cref="UniFaceException">It is on another one.</exception>
    public static void RequireOn(Tensor tensor, Device device, string what)
    {
        if (tensor.device_type != device.type || (device.index >= 0 && device.type != DeviceType.CPU && tensor.device_index != device.index))
        {
            throw new UniFaceException(
                $"The device {device} is not in use: the result of {what} is on {tensor.device}; train with device " +
                $"{tensor.device_type.ToString().ToLowerInvariant()} if that is meant.");
        }
    }

    /// <summary>Requires that products on a device are rounded as those of a type of 16 bits.</summary>
    /// <param name="device">The device.</param>
    /// <param name="type">bfloat16 or float16.</param>
    /// <param name="convolve">Convolves float32 maps with float32 weights, in that type.</param>
    /// <exception cref="UniFaceException">They are not.</exception>
    public static void RequireRounding(Device device, ScalarType type, Func<Tensor, Tensor, Tensor> convolve)
    {
        using NoGradScope scope = new();
        float ninth = 1 + (1 / 512f), twelfth = 1 + (1 / 4096f); // float16 has 10 bits after the point, bfloat16 has 7.
        bool half = type == ScalarType.Float16;
        Tensor x = tensor(new[] { ninth, twelfth, 3, 70_000 }).view(1, 1, 1, 4).to(device);
        Tensor w = ones(1, 1, 1, 1).to(device);
        Require(convolve(x, w), device, ScalarType.Float32, half ? [ninth, 1, 3, float.PositiveInfinity] : [1, 1, 3, 70_144]);
    }
}
