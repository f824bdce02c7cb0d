using System.Runtime.InteropServices;

namespace UniFace.AspNetCore.Hosting;

/// <summary>
/// Returns memory to the system after large requests: the garbage collector and glibc's arenas would keep it, on a large machine more and more of it.
/// It runs only after the process has grown by 128 MB, so that a large gallery is not compacted for nothing.
/// </summary>
internal sealed class UnusedMemory : BackgroundService
{
    private const long Tolerated = 128L << 20;
    private const int TrimThreshold = -1, MapThreshold = -3, LargeBlock = 1 << 20;

    private static readonly string[] AllocatorVariables =
        ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES"];

    /// <summary>
    /// Makes glibc map each large block separately and unmap it when it is freed; by default it raises that limit to 32 MB, and then each arena keeps
    /// its own peak. For programs to call at their start; does nothing if the user has set malloc's variables.
    /// </summary>
    public static void ReturnFreedBlocks()
    {
        if (Array.TrueForAll(AllocatorVariables, name => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name))))
        {
            OnGlibc(() => _ = (SetOption(MapThreshold, LargeBlock), SetOption(TrimThreshold, LargeBlock)));
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(TimeSpan.FromSeconds(10));
        long before = Environment.WorkingSet;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (Environment.WorkingSet > before + Tolerated)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                OnGlibc(() => _ = Trim(0));
                before = Environment.WorkingSet;
            }
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
            // Another C library; nothing to configure.
        }
    }

    [DllImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetOption(int option, int value);

    [DllImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Trim(nuint keep);
}
