namespace UniFace.AspNetCore.Http;

/// <summary>
/// Limits the memory of all request bodies at one time to a quarter of what the process may use. A large body beyond that is not read until there is room.
/// One caller's bodies take at most three quarters of it, so that slow senders do not delay others. Thread-safe.
/// </summary>
/// <param name="megabytes">The memory for all bodies.</param>
/// <param name="largestBody">Length in bytes assumed for a body of unknown length.</param>
internal sealed class BodyMemory(int megabytes, long largestBody)
{
    // Smaller bodies do not wait: the limit of concurrent requests bounds their memory.
    private const int SmallBytes = 1 << 20;

    // A body, the buffers it grows through, and what it is parsed into.
    private const int MemoryPerBodyByte = 4;

    private readonly FairLimiter memory = new(megabytes);

    /// <summary>The memory of a service.</summary>
    public static BodyMemory Create(ServerOptions options) =>
        new((int)Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 22, 1, int.MaxValue / 4), options.MaxRequestBytes);

    /// <summary>Waits for the memory of a body.</summary>
    /// <param name="caller">Who sends it.</param>
    /// <param name="length">Its length; null if unknown.</param>
    /// <param name="stop">Stops the waiting.</param>
    /// <returns>Disposing it gives the memory back; null for a small body.</returns>
    public async ValueTask<IDisposable?> AcquireAsync(string caller, long? length, CancellationToken stop)
    {
        long body = length ?? largestBody;
        int needed = (int)Math.Min(Math.Max(1, 3L * megabytes / 4), (MemoryPerBodyByte * body) >> 20);
        return body <= SmallBytes ? null : await memory.EnterAsync(caller, needed, stop);
    }
}
