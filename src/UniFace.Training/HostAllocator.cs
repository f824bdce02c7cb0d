using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace UniFace.Training;

/// <summary>
/// Lets the C library keep what a step frees. By default glibc maps each large block anew and gives it back when it is freed, so
/// that a step faults in, and the kernel clears, every activation and gradient again: 50,000 to 300,000 page faults a step were
/// counted, and 1.2 to 1.3 times the pictures a second without them. A process that has trained keeps its peak of memory until
/// it ends. Only on glibc; whoever has set malloc's variables himself keeps his choice.
/// </summary>
internal static class HostAllocator
{
    private const int TrimThreshold = -1;
    private const int TopPad = -2;
    private const int MapThreshold = -3;
    private static readonly string[] UsersChoice = ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES"];

    /// <summary>Runs before the first use of this assembly, so before the first tensor.</summary>
#pragma warning disable CA2255 // Nothing later is early enough.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Initialize()
    {
        if (!OperatingSystem.IsLinux() || UsersChoice.Any(name => Environment.GetEnvironmentVariable(name) is { Length: > 0 }))
        {
            return;
        }

        try
        {
            _ = SetOption(MapThreshold, int.MaxValue);
            _ = SetOption(TrimThreshold, -1);
            _ = SetOption(TopPad, 64 << 20);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library: it has its own ways.
        }
    }

    [DllImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetOption(int option, int value);
}
