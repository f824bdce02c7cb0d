using System.Runtime.InteropServices;

namespace UniFace.Training;

/// <summary>
/// What the C library does with native memory that was freed, of tensors above all: a choice of the process, so made by programs only, before their work.
/// Only on glibc, otherwise nothing happens; a user who set malloc's variables keeps that choice.
/// </summary>
public static class HostAllocator
{
    private const int TrimThreshold = -1, TopPad = -2, MapThreshold = -3;

    private static readonly string[] UsersChoice = ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES"];

    /// <summary>
    /// Keeps it for the next step, for a process that trains and ends. By default glibc maps each large block and gives it back when it is freed, so that a
    /// step faults in, and the kernel clears, every activation and gradient again: 50,000 to 300,000 page faults per step were counted, and 1.2 to 1.3 times
    /// the pictures per second without them. The process keeps its peak of memory until it ends.
    /// </summary>
    public static void KeepFreed() => Set((MapThreshold, int.MaxValue), (TrimThreshold, -1), (TopPad, 64 << 20));

    /// <summary>
    /// Gives it back, for a service that runs for months: large blocks are mapped each on its own. By default glibc raises that limit to 32 MB when such a
    /// block is freed, and from then on each of its arenas, several per processor, keeps its own peak.
    /// </summary>
    public static void ReturnFreed() => Set((MapThreshold, 1 << 20), (TrimThreshold, 1 << 20));

    /// <summary>Gives back now what is free in every arena.</summary>
    public static void Trim() => OnGlibc(() => _ = TrimAll(0));

    private static void Set(params (int Option, int Value)[] options)
    {
        if (!UsersChoice.Any(name => Environment.GetEnvironmentVariable(name) is { Length: > 0 }))
        {
            OnGlibc(() => Array.ForEach(options, option => _ = SetOption(option.Option, option.Value)));
        }
    }

    private static void OnGlibc(Action act)
    {
        try
        {
            if (OperatingSystem.IsLinux())
            {
                act();
            }
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Not glibc; nothing to configure.
        }
    }

    [DllImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetOption(int option, int value);

    [DllImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int TrimAll(nuint keep);
}
