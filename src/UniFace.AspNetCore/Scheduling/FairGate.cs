namespace UniFace.AspNetCore.Scheduling;

/// <summary>Limits how much work runs at once; waiting work is admitted in the order of <see cref="FairQueue{T}"/>. Thread-safe.</summary>
/// <param name="places">Most pieces of work at once.</param>
internal sealed class FairGate(int places)
{
    private readonly FairQueue<TaskCompletionSource> waiting = new(int.MaxValue);
    private readonly Lock gate = new();
    private int free = places;

    /// <summary>Waits for a place.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="cost">Amount of work, above 0.</param>
    /// <param name="stop">Stops the waiting.</param>
    /// <returns>The place; disposing it gives it back.</returns>
    public async Task<IDisposable> EnterAsync(string caller, double cost, CancellationToken stop)
    {
        TaskCompletionSource turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
        using CancellationTokenRegistration registration = stop.Register(() => turn.TrySetCanceled(stop));
        waiting.TryAdd(caller, cost, turn);
        Admit(0);
        await turn.Task;
        return new Place(this);
    }

    private void Admit(int returned)
    {
        lock (gate)
        {
            free += returned;
            while (free > 0 && waiting.TryTake(out TaskCompletionSource? turn))
            {
                free -= turn.TrySetResult() ? 1 : 0; // a canceled waiter takes no place
            }
        }
    }

    private sealed class Place(FairGate gate) : IDisposable
    {
        private int held = 1;

        public void Dispose() => gate.Admit(Interlocked.Exchange(ref held, 0));
    }
}
