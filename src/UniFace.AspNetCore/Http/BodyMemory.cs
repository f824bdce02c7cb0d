namespace UniFace.AspNetCore.Http;

/// <summary>
/// Bounds the memory that all request bodies take at one time to a quarter of what the process may use. A large body beyond that stays with its sender
/// until there is room. One caller's bodies take at most three quarters of it, so that slow senders do not hold up others. Thread-safe.
/// </summary>
internal sealed class BodyMemory
{
    // Smaller bodies do not wait: as many of them as there may be requests are not much.
    private const int SmallBytes = 1 << 20;

    // A body, the buffers it grows through, and what it is parsed into.
    private const int MemoryPerBodyByte = 4;

    private readonly int megabytes;
    private readonly long largestBody;
    private readonly Lock gate = new();
    private readonly LinkedList<Share> waiting = new();
    private readonly Dictionary<string, int> held = new(StringComparer.Ordinal); // MB by caller
    private int free;

    /// <summary>The memory of a service.</summary>
    public BodyMemory(ServerOptions options)
        : this(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4, options.MaxRequestBytes)
    {
    }

    /// <summary>A given amount of memory.</summary>
    internal BodyMemory(long bytes, long largestBody)
    {
        free = megabytes = (int)Math.Clamp(bytes >> 20, 1, int.MaxValue / 4);
        this.largestBody = largestBody;
    }

    /// <summary>Waits for the memory of a body.</summary>
    /// <param name="caller">Who sends it.</param>
    /// <param name="length">Its length; null if unknown.</param>
    /// <param name="stop">Stops the waiting.</param>
    /// <returns>The share; disposing it gives the memory back.</returns>
    public async ValueTask<IDisposable> AcquireAsync(string caller, long? length, CancellationToken stop)
    {
        long bytes = length ?? largestBody;
        int need = bytes <= SmallBytes ? 0 : (int)Math.Min(Math.Max(1, 3L * megabytes / 4), (MemoryPerBodyByte * bytes) >> 20);
        Share share = new(this, caller, need);
        if (need == 0)
        {
            return share;
        }

        lock (gate)
        {
            waiting.AddLast(share);
            Admit();
        }

        try
        {
            await share.Admitted.Task.WaitAsync(stop);
            return share;
        }
        catch
        {
            share.Dispose();
            throw;
        }
    }

    // First come, first served; callers that hold enough already are passed over.
    private void Admit()
    {
        for (LinkedListNode<Share>? node = waiting.First, next; node is not null; node = next)
        {
            next = node.Next;
            (string caller, int need) = (node.Value.Caller, node.Value.Need);
            int own = held.GetValueOrDefault(caller);
            if (own > 0 && own + need > 3L * (free - need))
            {
                continue;
            }

            if (need > free)
            {
                return;
            }

            waiting.Remove(node);
            free -= need;
            held[caller] = own + need;
            node.Value.Admitted.SetResult();
        }
    }

    private void Release(Share share)
    {
        lock (gate)
        {
            if (!waiting.Remove(share)) // otherwise it was never admitted
            {
                free += share.Need;
                held[share.Caller] -= share.Need;
                if (held[share.Caller] == 0)
                {
                    held.Remove(share.Caller);
                }
            }

            Admit();
        }
    }

    private sealed class Share(BodyMemory memory, string caller, int need) : IDisposable
    {
        private int released;

        public string Caller => caller;

        public int Need => need;

        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose()
        {
            if (need > 0 && Interlocked.Exchange(ref released, 1) == 0)
            {
                memory.Release(this);
            }
        }
    }
}
