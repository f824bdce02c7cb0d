using Microsoft.Extensions.Hosting;
using UniFace.IO;

namespace UniFace.Server.Http;

/// <summary>
/// Gives memory back to the system that large requests left behind: the collector, and the C library's arenas, keep it for the next one, on a large machine
/// more and more. Done when the process has grown by 128 MB since the last time, so that a large gallery is not moved about for nothing.
/// </summary>
internal sealed class UnusedMemory : BackgroundService
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
