namespace UniFace.Vision.Decoding;

/// <summary>
/// How much memory all decoding in this process takes at one time. Who would exceed it waits, first come first served; what is larger
/// than the whole budget runs alone. Blocks its thread, as decoding does. Thread-safe.
/// </summary>
internal sealed class MemoryBudget(long bytes)
{
    /// <summary>The process's own: a quarter of the memory it may use (of the machine, or of the container's limit).</summary>
    public static readonly MemoryBudget Shared = new(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);

    private readonly object gate = new();
    private long used, lastTicket, nextTicket;

    /// <summary>How many wait.</summary>
    public long Waiting => Interlocked.Read(ref lastTicket) - Interlocked.Read(ref nextTicket);

    /// <summary>Takes a part of the budget, as soon as there is as much, until the answer is disposed.</summary>
    public Share Take(long need)
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

    /// <summary>A part of a budget.</summary>
    public readonly struct Share(MemoryBudget budget, long need) : IDisposable
    {
        /// <summary>Gives it back.</summary>
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
