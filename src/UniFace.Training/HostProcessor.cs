using System.Runtime.Intrinsics.X86;

namespace UniFace.Training;

/// <summary>What the processor can do that .NET has no name for.</summary>
public static class HostProcessor
{
    private const int Avx512BFloat16 = 1 << 5; // CPUID 7.1, EAX
    private const int AmxBFloat16 = 1 << 22; // CPUID 7.0, EDX

    /// <summary>
    /// Whether it multiplies bfloat16 itself: AVX512-BF16 or AMX on x86. True on others, which give no way to ask.
    /// </summary>
    public static bool MultipliesBFloat16 { get; } = !X86Base.IsSupported
        || (X86Base.CpuId(0, 0).Eax >= 7
            && ((X86Base.CpuId(7, 0).Edx & AmxBFloat16) != 0 || (X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & Avx512BFloat16) != 0)));
}
