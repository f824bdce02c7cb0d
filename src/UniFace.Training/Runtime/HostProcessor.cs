using System.Runtime.Intrinsics.X86;

namespace UniFace.Training.Runtime;

/// <summary>Processor features that .NET does not report.</summary>
internal static class HostProcessor
{
    private const int Avx512BFloat16 = 1 << 5; // CPUID 7.1, EAX
    private const int AmxBFloat16 = 1 << 22; // CPUID 7.0, EDX

    /// <summary>
    /// Whether the processor has bfloat16 products: AVX512-BF16 or AMX on x86. True on other architectures, where .NET has no query.
    /// </summary>
    public static bool SupportsBFloat16 { get; } = !X86Base.IsSupported
        || (X86Base.CpuId(0, 0).Eax >= 7
            && ((X86Base.CpuId(7, 0).Edx & AmxBFloat16) != 0 || (X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & Avx512BFloat16) != 0)));
}
