using Microsoft.Extensions.Hosting;

namespace UniFace.CommandLine.Serve;

/// <summary>
/// Returns memory to the system after large requests. The garbage collector and glibc's arenas would keep it, with many cores ever more of it.
/// It runs only after the process has grown by 128 MB, because compacting a large gallery is expensive.
/// </summary>
internal sealed class MemoryTrimmer : BackgroundService
{
    private const long Tolerated = 128L << 20;

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
                HostAllocator.Trim();
                before = Environment.WorkingSet;
            }
        }
    }
}
