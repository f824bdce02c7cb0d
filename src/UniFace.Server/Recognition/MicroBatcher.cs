using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace UniFace.Server.Recognition;

/// <summary>
/// Many requests' work in one go: what waits when a worker becomes free, up to a batch, is done together; alone, it is done at once. Two
/// workers take turns, so that no core waits while a batch ends and the next one comes in. A full queue refuses with 503 instead of making
/// everybody wait. Work that nobody waits for any more is not done.
/// </summary>
/// <typeparam name="TIn">What is asked.</typeparam>
/// <typeparam name="TOut">The answer.</typeparam>
internal sealed class MicroBatcher<TIn, TOut> : IAsyncDisposable
{
    private const int Workers = 2;

    private readonly Channel<Item> queue;
    private readonly Func<IReadOnlyList<TIn>, Task<IReadOnlyList<TOut>>> work;
    private readonly int largest;
    private readonly Action<int>? done;
    private readonly Task workers;

    /// <summary>A batcher.</summary>
    /// <param name="work">Answers of a batch, in its order; thread-safe.</param>
    /// <param name="largest">Most in a batch.</param>
    /// <param name="capacity">Most that may wait.</param>
    /// <param name="done">Told of each batch's size, for the metrics.</param>
    public MicroBatcher(Func<IReadOnlyList<TIn>, Task<IReadOnlyList<TOut>>> work, int largest, int capacity, Action<int>? done = null)
    {
        this.work = work;
        this.largest = largest;
        this.done = done;
        queue = Channel.CreateBounded<Item>(capacity);
        workers = Task.WhenAll(Enumerable.Range(0, Workers).Select(_ => Task.Run(RunAsync)));
    }

    /// <summary>The answer to one.</summary>
    /// <exception cref="ServerProblemException">Too many wait already.</exception>
    public Task<TOut> AskAsync(TIn question, CancellationToken stop)
    {
        Item item = new(question, stop);
        return queue.Writer.TryWrite(item)
            ? item.Answer.Task.WaitAsync(stop)
            : throw new ServerProblemException(StatusCodes.Status503ServiceUnavailable, "too many requests at once; try again in a second");
    }

    /// <summary>Answers what waits and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await workers;
    }

    private async Task RunAsync()
    {
        List<Item> batch = [];
        while (await queue.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < largest && queue.Reader.TryRead(out Item? item))
            {
                if (!item.Stop.IsCancellationRequested)
                {
                    batch.Add(item);
                }
            }

            if (batch.Count > 0)
            {
                await AnswerAsync(batch);
                done?.Invoke(batch.Count);
            }
        }
    }

    private async Task AnswerAsync(IReadOnlyList<Item> batch)
    {
        try
        {
            IReadOnlyList<TOut> answers = await work([.. batch.Select(item => item.Question)]);
            for (int i = 0; i < batch.Count; i++)
            {
                batch[i].Answer.TrySetResult(answers[i]);
            }
        }
        catch (Exception) when (batch.Count > 1)
        {
            // One that cannot be answered must not cost the others theirs.
            foreach (Item item in batch)
            {
                await AnswerAsync([item]);
            }
        }
#pragma warning disable CA1031 // It is thrown to whoever asked.
        catch (Exception e)
        {
            batch[0].Answer.TrySetException(e);
        }
#pragma warning restore CA1031
    }

    private sealed record Item(TIn Question, CancellationToken Stop)
    {
        public TaskCompletionSource<TOut> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
