namespace UniFace.Training.Runtime;

/// <summary>The memory of tensors on the CPU, valid while the tensor lives.</summary>
internal static class TensorMemory
{
    private const int ChunkBytes = 1 << 26;

    /// <summary>Address of the first value, whatever the strides; TorchSharp itself gives it for contiguous tensors only.</summary>
    public static nint Address(Tensor tensor)
    {
        nint data = Data(tensor.Handle);
        GC.KeepAlive(tensor);
        return data;
    }

    /// <summary>Passes the bytes of a tensor in row-major order, in chunks: the memory of a contiguous CPU tensor itself, else of a copy.</summary>
    public static void ForEachChunk(Tensor tensor, Action<Span<byte>> visit)
    {
        using NoGradScope scope = new();
        if (tensor.numel() > 0)
        {
            foreach (Tensor piece in tensor.detach().cpu().contiguous().view(-1).split(ChunkBytes / tensor.ElementSize))
            {
                visit(piece.bytes);
            }
        }
    }

    /// <summary>The values of a contiguous float32 tensor.</summary>
    public static Span<float> Floats(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    [DllImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]
    private static extern nint Data(nint handle);
}
