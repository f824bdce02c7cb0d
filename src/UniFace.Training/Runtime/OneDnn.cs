namespace UniFace.Training.Runtime;

/// <summary>
/// oneDNN, with which libtorch convolves on a CPU. Where it does not know the processor, convolutions whose channels do not fill a vector can be wrong or NaN:
/// oneDNN 3.7 does so on a virtual machine of an AMD EPYC 9005 that tells no sizes of caches, with AVX, AVX2 and AVX-512. Before the first use, a few
/// convolutions are compared with float64; if they are wrong, libtorch convolves without oneDNN.
/// </summary>
internal static partial class OneDnn
{
    private const double Tolerance = 1e-4;

    static OneDnn()
    {
        // NNPACK, which libtorch would use without oneDNN, warns at every convolution on a processor that it does not know.
        TryCall(() => SetNnPackEnabled(Context(), enabled: false));
        bool right = IsRight(Convolve);
        IsDisabled = !right && Disable();
        ConvolutionsAreRight = right || (IsDisabled && IsRight(Convolve));
    }

    /// <summary>Whether libtorch convolves without oneDNN, and more slowly, because its results are wrong on this machine.</summary>
    public static bool IsDisabled { get; }

    /// <summary>Whether libtorch's convolutions on the CPU are right.</summary>
    public static bool ConvolutionsAreRight { get; }

    /// <summary>Compares convolutions whose channels do not fill vectors, in both memory formats, with float64, which oneDNN does not compute.</summary>
    /// <param name="convolve">Convolves maps [N, C, H, W] with weights [O, C, K, K] and a padding.</param>
    internal static bool IsRight(Func<Tensor, Tensor, long, Tensor> convolve)
    {
        using NoGradScope scope = new();
        foreach ((long channels, long kernel, long padding, bool last) in new[] { (20L, 3L, 1L, false), (20L, 1L, 0L, true), (3L, 7L, 0L, true) })
        {
            Tensor x = Values(last, 2, channels, 7, 7), w = Values(last, 40, channels, kernel, kernel);
            Tensor exact = convolve(x.to(ScalarType.Float64), w.to(ScalarType.Float64), padding);
            for (int attempt = 0; attempt < 3; attempt++)
            {
                LeaveNoZeros();
                double distance = ((convolve(x, w, padding).to(ScalarType.Float64) - exact).norm() / exact.norm()).item<double>();
                if (!(distance < Tolerance))
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>Lets libtorch convolve without oneDNN in this process.</summary>
    /// <returns>False if this build of libtorch has no such function.</returns>
    internal static bool Disable() => TryCall(() => SetEnabled(Context(), enabled: false));

    private static bool TryCall(Action call)
    {
        try
        {
            call();
            return true;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }
    }

    private static Tensor Convolve(Tensor x, Tensor w, long padding) => nn.functional.conv2d(x, w, padding: [padding, padding]);

    /// <summary>Values of about 1, without the random generator of the training; with the channels last if asked.</summary>
    private static Tensor Values(bool last, params long[] shape)
    {
        Tensor values = arange(shape.Aggregate((a, b) => a * b), ScalarType.Float32).mul(0.7f).sin().view(shape);
        return last ? values.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : values;
    }

    /// <summary>Frees memory that holds NaN, so that a convolution that reads what it has not written is wrong.</summary>
    private static void LeaveNoZeros()
    {
        for (long size = 64; size <= 1 << 16; size *= 2)
        {
            using Tensor first = full(size, float.NaN), second = full(size * 3 / 2, float.NaN);
        }
    }

    // C++ functions of libtorch, which TorchSharp does not export: at::globalContext, at::Context::setUserEnabledMkldnn and setUserEnabledNNPACK, by the
    // names that GCC and Clang give them.
    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at13globalContextEv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial nint Context();

    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at7Context20setUserEnabledMkldnnEb")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial void SetEnabled(nint context, [MarshalAs(UnmanagedType.U1)] bool enabled);

    [LibraryImport("torch_cpu", EntryPoint = "_ZN2at7Context20setUserEnabledNNPACKEb")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial void SetNnPackEnabled(nint context, [MarshalAs(UnmanagedType.U1)] bool enabled);
}
