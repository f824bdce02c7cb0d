using Microsoft.Extensions.Hosting;

namespace UniFace.Server.Http;

/// <summary>
/// Gives memory back to the system that giant photos left behind: the collector keeps it for the next one, on a large machine more and more. Done
/// when the process has grown by a quarter of a gigabyte since the last time, so that a large gallery is not moved about for nothing.
/// </summary>
internal sealed class UnusedMemory : BackgroundService
{
    private const long Tolerated = 256L << 20;

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
                before = Environment.WorkingSet;
            }
        }
    }
}
