using System.Threading.RateLimiting;

namespace UniFace.Server.Http;

/// <summary>
/// How much memory the bodies of all requests take at one time: a quarter of what the process may use. A large body beyond that is left with its
/// sender until there is room. Thread-safe.
/// </summary>
internal sealed class BodyMemory : IDisposable
{
    // Smaller bodies need not wait: as many as may be under way are not much.
    private const int SmallBytes = 1 << 20;

    // A body, the buffers it grows through, and what it is read into.
    private const int BytesPerByte = 4;

    private readonly int megabytes;
    private readonly long largestBody;
    private readonly ConcurrencyLimiter limiter;

    /// <summary>The memory of a service.</summary>
    public BodyMemory(ServerOptions options)
        : this(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4, options.MaxRequestBytes)
    {
    }

    /// <summary>So much memory.</summary>
    internal BodyMemory(long bytes, long largestBody)
    {
        megabytes = (int)Math.Max(1, bytes >> 20);
        this.largestBody = largestBody;
        limiter = new(new ConcurrencyLimiterOptions { PermitLimit = megabytes, QueueLimit = int.MaxValue });
    }

    /// <summary>Waits for the memory of a body.</summary>
    /// <param name="length">Its length; null where it is not told before.</param>
    /// <param name="stop">Stops the waiting.</param>
    /// <returns>Disposing gives it back.</returns>
    public async ValueTask<IDisposable> TakeAsync(long? length, CancellationToken stop)
    {
        long bytes = length ?? largestBody;
        return await limiter.AcquireAsync(bytes <= SmallBytes ? 0 : (int)Math.Min(megabytes, (BytesPerByte * bytes) >> 20), stop);
    }

    public void Dispose() => limiter.Dispose();
}
