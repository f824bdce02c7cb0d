namespace UniFace.AspNetCore.Scheduling;

/// <summary>
/// Runs the work of many requests in batches: what waits when the worker is free runs together, a lone item at once. A full queue refuses instead of
/// making everybody wait, and callers take turns. Canceled items are dropped before they run.
/// </summary>
internal sealed class MicroBatcher<TIn, TOut> : IAsyncDisposable
{
    private readonly FairQueue<Item> queue;
    private readonly SemaphoreSlim added = new(0);
    private readonly Func<IReadOnlyList<TIn>, Task<IReadOnlyList<TOut>>> run;
    private readonly int maxBatch;
    private readonly Task worker;
    private volatile bool closed;

    /// <summary>Starts the worker.</summary>
    /// <param name="run">Gives the results of a batch, in its order. Batches run one after the other.</param>
    /// <param name="maxBatch">Largest batch.</param>
    /// <param name="capacity">Most items that may wait.</param>
    public MicroBatcher(Func<IReadOnlyList<TIn>, Task<IReadOnlyList<TOut>>> run, int maxBatch, int capacity)
    {
        this.run = run;
        this.maxBatch = maxBatch;
        queue = new(capacity);
        worker = Task.Run(WorkAsync);
    }

    /// <summary>Runs one item in some batch.</summary>
    /// <exception cref="ProblemException">Too many items wait already.</exception>
    public Task<TOut> RunAsync(TIn input, string caller, CancellationToken stop) => RunAsync([(input, caller, stop)])[0];

    /// <summary>Runs items that belong together: as far as they fit, in one batch.</summary>
    /// <returns>A task for each; it fails with <see cref="ProblemException"/> if too many items wait already.</returns>
    public Task<TOut>[] RunAsync(IReadOnlyList<(TIn Input, string Caller, CancellationToken Stop)> inputs)
    {
        Task<TOut>[] results = [.. inputs.Select(input => Add(new Item(input.Input, input.Stop), input.Caller))];
        if (inputs.Count > 0)
        {
            added.Release(inputs.Count);
        }

        return results;
    }

    /// <summary>Finishes what waits, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        closed = true;
        added.Release();
        await worker;
        added.Dispose();
    }

    private Task<TOut> Add(Item item, string caller) => !closed && queue.TryAdd(caller, 1, item)
        ? item.Result.Task.WaitAsync(item.Stop)
        : Task.FromException<TOut>(new ProblemException(Status503ServiceUnavailable, "too many requests at once; try again in a second"));

    private async Task WorkAsync()
    {
        while (!closed || !queue.IsEmpty)
        {
            await added.WaitAsync();
            List<Item> batch = [];
            while (batch.Count < maxBatch && queue.TryTake(out Item? item))
            {
                if (!item.Stop.IsCancellationRequested)
                {
                    batch.Add(item);
                }
            }

            if (batch.Count > 0)
            {
                await RunAsync(batch);
            }
        }
    }

    private async Task RunAsync(IReadOnlyList<Item> batch)
    {
        try
        {
            IReadOnlyList<TOut> results = await run([.. batch.Select(item => item.Input)]);
            for (int i = 0; i < batch.Count; i++)
            {
                batch[i].Result.TrySetResult(results[i]);
            }
        }
#pragma warning disable CA1031 // Passed on to the callers.
        catch (Exception e)
        {
            if (batch.Count == 1)
            {
                batch[0].Result.TrySetException(e);
                return;
            }

            // One bad item must not fail the others.
            foreach (Item item in batch.Where(item => !item.Stop.IsCancellationRequested))
            {
                await RunAsync([item]);
            }
        }
#pragma warning restore CA1031
    }

    private sealed record Item(TIn Input, CancellationToken Stop)
    {
        public TaskCompletionSource<TOut> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
