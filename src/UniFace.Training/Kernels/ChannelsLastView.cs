namespace UniFace.Training.Kernels;

/// <summary>
/// A float32 tensor on the CPU as rows of channels: [B, C], or [B, C, H, W] stored as [B, H, W, C]. Valid while the tensor lives.
/// </summary>
/// <param name="Data">Address of the first value.</param>
/// <param name="Count">Number of rows: B, or B * H * W.</param>
/// <param name="Channels">C.</param>
internal readonly unsafe record struct ChannelsLastView(nint Data, long Count, int Channels)
{
    /// <summary>The first value.</summary>
    public float* Pointer => (float*)Data;

    /// <summary>Whether a tensor is stored channels-last.</summary>
    public static bool Fits(Tensor tensor)
    {
        if (tensor.dtype != ScalarType.Float32 || tensor.device_type != DeviceType.CPU)
        {
            return false;
        }

        long[] shape = tensor.shape;
        long[] stride = tensor.stride();
        return shape.Length switch
        {
            2 => stride[1] == 1 && stride[0] == shape[1],
            4 => Is(1, 1) && Is(3, shape[1]) && Is(2, shape[1] * shape[3]) && Is(0, shape[1] * shape[2] * shape[3]),
            _ => false,
        };

        // The stride of a dimension of length 1 has no meaning.
        bool Is(int dimension, long expected) => shape[dimension] == 1 || stride[dimension] == expected;
    }

    /// <summary>The view of a tensor that <see cref="Fits"/>.</summary>
    public static ChannelsLastView Over(Tensor tensor)
    {
        int channels = (int)tensor.shape[1];
        return new ChannelsLastView(TensorMemory.Address(tensor), tensor.numel() / channels, channels);
    }

    /// <summary>A new, uninitialized channels-last tensor of the same shape.</summary>
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

    /// <summary>A channels-last tensor with the same values: an alias if the tensor is one already, else a copy.</summary>
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
