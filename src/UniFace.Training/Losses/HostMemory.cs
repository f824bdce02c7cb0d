using System.Runtime.InteropServices;

namespace UniFace.Training.Losses;

/// <summary>
/// Tiles worked on with tensors allocate and free blocks of a few megabytes by the thousand, which glibc's heap does not put together
/// again: 3 MB a tile were seen lost to fragments, 1.5 GB a step over a million classes. So now and then the pages of what is free go back.
/// </summary>
internal static class HostMemory
{
    private const int Tiles = 32;
    private static int done;

    /// <summary>Counts a tile; gives free pages back every few of them.</summary>
    public static void TileDone()
    {
        if (Interlocked.Increment(ref done) % Tiles == 0)
        {
            Release();
        }
    }

    /// <summary>Gives the pages of what is free back to the system. Only on glibc.</summary>
    public static void Release()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            _ = Trim(0);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library: it has its own ways.
        }
    }

    [DllImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Trim(nuint pad);
}
