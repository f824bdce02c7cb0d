using System.Diagnostics.CodeAnalysis;

namespace UniFace.AspNetCore.Scheduling;

/// <summary>
/// A queue that gives every caller an equal share of the work, however much each asks for: start-time fair queuing (Goyal, Vin and Cheng, SIGCOMM 1996).
/// Thread-safe.
/// </summary>
/// <param name="capacity">Most items that may wait.</param>
internal sealed class FairQueue<T>(int capacity)
{
    private const int MaxCallers = 4096;

    private readonly Lock gate = new();
    private readonly PriorityQueue<(string Caller, T Item), (double Start, long Order)> waiting = new();
    private readonly Dictionary<string, (int Waiting, double Finish)> callers = new(StringComparer.Ordinal);
    private double now;
    private long order;

    /// <summary>True if nothing waits.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (gate)
            {
                return waiting.Count == 0;
            }
        }
    }

    /// <summary>Adds an item.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="cost">Amount of work, above 0, in any unit.</param>
    /// <param name="item">The item.</param>
    /// <returns>False if too many items wait, in total or for this caller.</returns>
    public bool TryAdd(string caller, double cost, T item)
    {
        lock (gate)
        {
            (int own, double finish) = callers.GetValueOrDefault(caller);
            if (own >= 3L * (capacity - waiting.Count)) // as in FairPlaces
            {
                return false;
            }

            if (waiting.Count == 0 && callers.Count > MaxCallers)
            {
                callers.Clear();
            }

            double start = Math.Max(now, finish);
            callers[caller] = (own + 1, start + cost);
            waiting.Enqueue((caller, item), (start, order++));
            return true;
        }
    }

    /// <summary>Takes the next item.</summary>
    public bool TryTake([MaybeNullWhen(false)] out T item)
    {
        lock (gate)
        {
            if (!waiting.TryDequeue(out (string Caller, T Item) next, out (double Start, long Order) turn))
            {
                item = default;
                return false;
            }

            now = turn.Start;
            (int own, double finish) = callers[next.Caller];
            callers[next.Caller] = (own - 1, finish);
            item = next.Item;
            return true;
        }
    }
}
