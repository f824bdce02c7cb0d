namespace UniFace.Vision.Decoding;

/// <summary>
/// The memory that all decoders of this process may use at a time. Callers that would exceed it wait in order of arrival; an image larger
/// than the whole budget is decoded alone. Blocks the calling thread, as decoding does. Thread-safe.
/// </summary>
internal sealed class MemoryBudget(long bytes)
{
    /// <summary>The budget of this process: a quarter of the memory of the machine or container.</summary>
    public static readonly MemoryBudget Shared = new(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    private readonly object gate = new();
    private long used, lastTicket, nextTicket;

    /// <summary>The number of waiting callers.</summary>
    public long Waiting => Interlocked.Read(ref lastTicket) - Interlocked.Read(ref nextTicket);

    /// <summary>Waits for a share of the budget; disposing the share returns it.</summary>
    public Share Acquire(long need)
    {
        need = Math.Min(need, bytes);
        lock (gate)
        {
            for (long ticket = lastTicket++; ticket != nextTicket || used + need > bytes;)
            {
                Monitor.Wait(gate);
            }

            nextTicket++;
            used += need;
            Monitor.PulseAll(gate);
        }

        return new Share(this, need);
    }

    /// <summary>A share of the budget.</summary>
    public readonly struct Share(MemoryBudget budget, long need) : IDisposable
    {
        /// <summary>Returns the share.</summary>
        public void Dispose()
        {
            lock (budget.gate)
            {
                budget.used -= need;
                Monitor.PulseAll(budget.gate);
            }
        }
    }
}
