using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace UniFace.Training.Kernels;

/// <summary>
/// A float32 tensor on the CPU seen as rows of channels: [B, C], or [B, C, H, W] that lies in memory as [B, H, W, C]. Valid while
/// the tensor lives.
/// </summary>
/// <param name="Data">The first value.</param>
/// <param name="Count">B, or B * H * W.</param>
/// <param name="Channels">C.</param>
internal readonly unsafe record struct ChannelRows(nint Data, long Count, int Channels)
{
    /// <summary>The first value.</summary>
    public float* Pointer => (float*)Data;

    /// <summary>Whether a tensor lies in memory so.</summary>
    public static bool Fits(Tensor tensor)
    {
        if (tensor.dtype != ScalarType.Float32 || tensor.device_type != TorchSharp.DeviceType.CPU)
        {
            return false;
        }

        long[] shape = tensor.shape;
        long[] stride = tensor.stride();
        return shape.Length switch
        {
            2 => stride[1] == 1 && stride[0] == shape[1],
            4 => Lies(shape[1], stride[1], 1) && Lies(shape[3], stride[3], shape[1]) && Lies(shape[2], stride[2], shape[1] * shape[3]) && Lies(shape[0], stride[0], shape[1] * shape[2] * shape[3]),
            _ => false,
        };

        // The stride of a side of length 1 says nothing.
        static bool Lies(long length, long stride, long expected) => length == 1 || stride == expected;
    }

    /// <summary>The view of a tensor that <see cref="Fits"/>.</summary>
    public static ChannelRows Of(Tensor tensor)
    {
        int channels = (int)tensor.shape[1];
        return new ChannelRows(Pointers.Of(tensor), tensor.numel() / channels, channels);
    }

    /// <summary>A new tensor of the same shape that lies so, not filled.</summary>
    public static Tensor EmptyLike(Tensor tensor)
    {
        long[] s = tensor.shape;
        if (s.Length == 2)
        {
            return empty(s, ScalarType.Float32);
        }

        using Tensor rows = empty([s[0], s[2], s[3], s[1]], ScalarType.Float32); // [B, H, W, C]
        return rows.permute(0, 3, 1, 2); // [B, C, H, W]
    }

    /// <summary>A tensor that lies so, with the same values: a view where it does already, else a copy.</summary>
    public static Tensor Arrange(Tensor tensor)
    {
        if (Fits(tensor))
        {
            return tensor.alias();
        }

        if (tensor.Dimensions == 2)
        {
            return tensor.contiguous();
        }

        using Tensor last = tensor.permute(0, 2, 3, 1); // [B, H, W, C]
        using Tensor rows = last.contiguous();
        return rows.permute(0, 3, 1, 2); // [B, C, H, W]
    }
}

/// <summary>Addresses of tensors.</summary>
internal static class Pointers
{
    /// <summary>Address of a CPU tensor's first value, whatever its strides; TorchSharp itself gives it for contiguous ones only.</summary>
    public static nint Of(Tensor tensor)
    {
        nint data = Data(tensor.Handle);
        GC.KeepAlive(tensor);
        return data;
    }

    /// <summary>The values of a contiguous float32 tensor on the CPU, valid while it lives.</summary>
    public static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    [DllImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]
    private static extern nint Data(nint handle);
}
