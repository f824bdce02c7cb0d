using Microsoft.AspNetCore.Http;

namespace UniFace.Server.Recognition;

/// <summary>
/// Many requests' work in one go: what waits when the worker becomes free, up to a batch, is done together; alone, it is done at once. The work
/// has two halves: while a batch is in its second, the next one is in its first, so that no core waits for the end of a batch. A full queue
/// refuses with 503 instead of making everybody wait, and callers take turns. Work that nobody waits for any more is not done.
/// </summary>
/// <typeparam name="TIn">What is asked.</typeparam>
/// <typeparam name="THalf">What the first half makes of a batch.</typeparam>
/// <typeparam name="TOut">The answer.</typeparam>
internal sealed class MicroBatcher<TIn, THalf, TOut> : IAsyncDisposable
{
    private readonly FairQueue<Item> queue;
    private readonly SemaphoreSlim added = new(0);
    private readonly Func<IReadOnlyList<TIn>, THalf> first;
    private readonly Func<IReadOnlyList<TIn>, THalf, Task<IReadOnlyList<TOut>>> second;
    private readonly int largest;
    private readonly Action<int>? done;
    private readonly Task worker;
    private volatile bool closed;

    /// <summary>A batcher.</summary>
    /// <param name="first">The first half of a batch, thread-safe: run once at a time, but for the single ones of a batch that failed.</param>
    /// <param name="second">The answers of a batch, in its order; run while the next first half is.</param>
    /// <param name="largest">Most in a batch.</param>
    /// <param name="capacity">Most that may wait.</param>
    /// <param name="done">Told of each batch's size, for the metrics.</param>
    public MicroBatcher(Func<IReadOnlyList<TIn>, THalf> first, Func<IReadOnlyList<TIn>, THalf, Task<IReadOnlyList<TOut>>> second, int largest, int capacity, Action<int>? done = null)
    {
        this.first = first;
        this.second = second;
        this.largest = largest;
        this.done = done;
        queue = new(capacity);
        worker = Task.Run(RunAsync);
    }

    /// <summary>The answer to one.</summary>
    /// <param name="question">It.</param>
    /// <param name="caller">Whose it is.</param>
    /// <param name="stop">Stops the waiting.</param>
    /// <exception cref="ServerProblemException">Too many wait already.</exception>
    public Task<TOut> AskAsync(TIn question, string caller, CancellationToken stop)
    {
        Item item = new(question, stop);
        if (closed || !queue.TryAdd(caller, 1, item))
        {
            throw new ServerProblemException(StatusCodes.Status503ServiceUnavailable, "too many requests at once; try again in a second");
        }

        added.Release();
        return item.Answer.Task.WaitAsync(stop);
    }

    /// <summary>Answers what waits and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        closed = true;
        added.Release();
        await worker;
        added.Dispose();
    }

    private async Task RunAsync()
    {
        Task before = Task.CompletedTask;
        while (!closed || !queue.IsEmpty)
        {
            await added.WaitAsync();
            List<Item> batch = [];
            while (batch.Count < largest && queue.TryTake(out Item? item))
            {
                if (!item.Stop.IsCancellationRequested)
                {
                    batch.Add(item);
                }
            }

            if (batch.Count > 0)
            {
                Task answered = Begin(batch);
                await before; // second halves that are slower than first ones do not pile up
                before = answered;
            }
        }

        await before;
    }

    /// <summary>The first half, here and now; the second one is under way when this returns.</summary>
    private Task Begin(IReadOnlyList<Item> batch)
    {
        TIn[] questions = [.. batch.Select(item => item.Question)];
        try
        {
            THalf half = first(questions);
            return Task.Run(() => EndAsync(batch, questions, half));
        }
#pragma warning disable CA1031 // It is thrown to whoever asked.
        catch (Exception e)
        {
            return FailAsync(batch, e);
        }
#pragma warning restore CA1031
    }

    private async Task EndAsync(IReadOnlyList<Item> batch, TIn[] questions, THalf half)
    {
        try
        {
            IReadOnlyList<TOut> answers = await second(questions, half);
            done?.Invoke(batch.Count);
            for (int i = 0; i < batch.Count; i++)
            {
                batch[i].Answer.TrySetResult(answers[i]);
            }
        }
#pragma warning disable CA1031 // As above.
        catch (Exception e)
        {
            await FailAsync(batch, e);
        }
#pragma warning restore CA1031
    }

    // One that cannot be answered must not cost the others theirs.
    private async Task FailAsync(IReadOnlyList<Item> batch, Exception why)
    {
        if (batch.Count == 1)
        {
            batch[0].Answer.TrySetException(why);
            return;
        }

        foreach (Item item in batch.Where(item => !item.Stop.IsCancellationRequested))
        {
            await Begin([item]);
        }
    }

    private sealed record Item(TIn Question, CancellationToken Stop)
    {
        public TaskCompletionSource<TOut> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
