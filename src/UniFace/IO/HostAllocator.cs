namespace UniFace.IO;

/// <summary>
/// What the C library does with freed native memory. A program chooses once, at its start; libraries only call <see cref="Trim"/>. Only glibc is
/// configured, and a user who has set one of malloc's variables keeps that choice.
/// </summary>
internal static partial class HostAllocator
{
    private const int TrimThreshold = -1, TopPad = -2, MapThreshold = -3;

    private static readonly string[] Variables = ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES"];

    /// <summary>
    /// Keeps freed memory, for a process that trains and ends. By default glibc maps each large block and unmaps it when it is freed, so that
    /// every step faults in, and the kernel clears, every activation and gradient again: 50,000 to 300,000 page faults per step were counted,
    /// and 1.2 to 1.3 times the images per second without them. The process keeps its peak memory until it ends.
    /// </summary>
    public static void RetainFreedMemory() => Set((MapThreshold, int.MaxValue), (TrimThreshold, -1), (TopPad, 64 << 20));

    /// <summary>
    /// Returns freed memory, for a service that runs for months: every block of 1 MB or more is mapped on its own. By default glibc raises that
    /// limit up to 32 MB as such blocks are freed, and each of its arenas, several per processor, then keeps its own peak.
    /// </summary>
    public static void ReleaseFreedMemory() => Set((MapThreshold, 1 << 20), (TrimThreshold, 1 << 20));

    /// <summary>Returns the free memory of every arena to the system.</summary>
    public static void Trim() => OnGlibc(() => _ = TrimAll(0));

    private static void Set(params (int Option, int Value)[] options)
    {
        if (!Variables.Any(name => Environment.GetEnvironmentVariable(name) is { Length: > 0 }))
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

    [LibraryImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int option, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int TrimAll(nuint keep);
}
