using static TorchSharp.torch;

namespace UniFace.Training.Native;

/// <summary>The memory of tensors on the CPU, valid while the tensor lives.</summary>
internal static class TensorMemory
{
    /// <summary>Address of the first value, whatever the strides; TorchSharp itself gives it for contiguous tensors only.</summary>
    public static nint Address(Tensor tensor)
    {
        nint data = Data(tensor.Handle);
        GC.KeepAlive(tensor);
        return data;
    }

    /// <summary>The values of a contiguous float32 tensor.</summary>
    public static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    [DllImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]
    private static extern nint Data(nint handle);
}
