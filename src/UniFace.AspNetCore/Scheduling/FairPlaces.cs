namespace UniFace.AspNetCore.Scheduling;

/// <summary>
/// Places that callers hold while they work. A caller that holds some takes more only while it then holds at most three times as many as are free, so that the
/// next caller finds a place (dynamic thresholds: Choudhury and Hahne, IEEE/ACM Transactions on Networking 1998). Thread-safe.
/// </summary>
/// <param name="places">Number of places.</param>
internal sealed class FairPlaces(int places)
{
    private readonly Lock gate = new();
    private readonly LinkedList<Holding> waiting = new();
    private readonly Dictionary<string, int> held = new(StringComparer.Ordinal); // by caller
    private int free = places;

    /// <summary>Takes a place at once; disposing it gives it back.</summary>
    /// <returns>Null if none is free for this caller.</returns>
    public IDisposable? TryEnter(string caller)
    {
        Holding holding = new(this, caller, 1);
        lock (gate)
        {
            return TryAdmit(holding) ? holding : null;
        }
    }

    /// <summary>Waits for places; disposing them gives them back. First come, first served; callers that hold enough already are passed over.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="count">How many, at most all of them.</param>
    /// <param name="stop">Stops the waiting.</param>
    public async Task<IDisposable> EnterAsync(string caller, int count, CancellationToken stop)
    {
        Holding holding = new(this, caller, count);
        lock (gate)
        {
            waiting.AddLast(holding);
            AdmitWaiting();
        }

        try
        {
            await holding.Admitted.Task.WaitAsync(stop);
            return holding;
        }
        catch
        {
            holding.Dispose();
            throw;
        }
    }

    private bool IsFair(Holding asked) =>
        held.GetValueOrDefault(asked.Caller) is int own && (own == 0 || own + asked.Count <= 3L * (free - asked.Count));

    private bool TryAdmit(Holding asked)
    {
        if (asked.Count > free || !IsFair(asked))
        {
            return false;
        }

        free -= asked.Count;
        held[asked.Caller] = held.GetValueOrDefault(asked.Caller) + asked.Count;
        asked.Admitted.SetResult();
        return true;
    }

    private void AdmitWaiting()
    {
        for (LinkedListNode<Holding>? node = waiting.First, next; node is not null; node = next)
        {
            next = node.Next;
            if (TryAdmit(node.Value))
            {
                waiting.Remove(node);
            }
            else if (IsFair(node.Value))
            {
                return; // the first in line waits for room, and nobody overtakes it
            }
        }
    }

    private void Leave(Holding holding)
    {
        lock (gate)
        {
            if (!waiting.Remove(holding)) // otherwise it was never admitted
            {
                free += holding.Count;
                held[holding.Caller] -= holding.Count;
                if (held[holding.Caller] == 0)
                {
                    held.Remove(holding.Caller);
                }
            }

            AdmitWaiting();
        }
    }

    private sealed class Holding(FairPlaces all, string caller, int count) : IDisposable
    {
        private int left;

        public string Caller => caller;

        public int Count => count;

        public TaskCompletionSource Admitted { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0)
            {
                all.Leave(this);
            }
        }
    }
}
