using System.Collections.Concurrent;
using UniFace.Server.Recognition;

namespace UniFace.Server.Tests;

public sealed class MicroBatcherTests
{
    [Fact]
    public async Task What_waits_is_answered_together_each_with_its_own_answer()
    {
        using SemaphoreSlim gate = new(0);
        ConcurrentQueue<int> sizes = [];
        await using MicroBatcher<int, int[], int> batcher = new(
            asked => [.. asked.Select(a => a * a)],
            async (_, squares) =>
            {
                await gate.WaitAsync();
                return squares;
            },
            8,
            100,
            sizes.Enqueue);
        Task<int>[] answers = [.. Enumerable.Range(0, 17).Select(i => batcher.AskAsync(i, "", default))];
        gate.Release(100);
        Assert.Equal(Enumerable.Range(0, 17).Select(i => i * i), await Task.WhenAll(answers));

        // The first two batches took what was there when they began, the others all that waited.
        Assert.Equal(17, sizes.Sum());
        Assert.InRange(sizes.Count, 3, 5);
        Assert.All(sizes, size => Assert.InRange(size, 1, 8));
    }

    [Fact]
    public async Task The_next_first_half_runs_while_a_second_half_does_but_no_third_batch_begins()
    {
        using SemaphoreSlim gate = new(0), begun = new(0);
        int begins = 0, begunBeforeAnAnswer = 0;
        await using MicroBatcher<int, int, int> batcher = new(
            asked =>
            {
                Interlocked.Increment(ref begins);
                begun.Release();
                return asked[0];
            },
            async (_, half) =>
            {
                await gate.WaitAsync();
                Interlocked.CompareExchange(ref begunBeforeAnAnswer, Volatile.Read(ref begins), 0);
                return [half];
            },
            1,
            10);
        Task<int>[] answers = [.. Enumerable.Range(0, 3).Select(i => batcher.AskAsync(i, "", default))];
        await begun.WaitAsync();
        await begun.WaitAsync();
        gate.Release();
        await await Task.WhenAny(answers);
        Assert.Equal(2, begunBeforeAnAnswer);
        gate.Release(100);
        int[] all = await Task.WhenAll(answers);
        Assert.Equal([0, 1, 2], all);
    }

    [Fact]
    public async Task A_full_queue_refuses_at_once_and_takes_more_when_there_is_room()
    {
        using SemaphoreSlim gate = new(0), begun = new(0);
        await using MicroBatcher<int, int, int> batcher = new(
            asked => asked[0],
            async (_, half) =>
            {
                begun.Release();
                await gate.WaitAsync();
                return [half];
            },
            1,
            2);
        Task<int> first = batcher.AskAsync(1, "", default);
        await begun.WaitAsync();
        Task<int> second = batcher.AskAsync(2, "", default);
        await begun.WaitAsync();
        Task<int>[] waiting = [batcher.AskAsync(3, "", default), batcher.AskAsync(4, "", default)];
        Assert.Equal(503, (await Assert.ThrowsAsync<ServerProblemException>(() => batcher.AskAsync(5, "", default))).Status);
        gate.Release(100);
        int[] answers = await Task.WhenAll([first, second, .. waiting]);
        Assert.Equal([1, 2, 3, 4], answers);
        Assert.Equal(6, await batcher.AskAsync(6, "", default));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task One_that_cannot_be_answered_does_not_cost_the_others_theirs(int half)
    {
        using SemaphoreSlim gate = new(0);
        await using MicroBatcher<int, int[], int> batcher = new(
            asked => half == 1 && asked.Contains(3) ? throw new UniFaceException("three") : [.. asked],
            async (asked, same) =>
            {
                await gate.WaitAsync();
                return half == 2 && asked.Contains(3) ? throw new UniFaceException("three") : same;
            },
            8,
            100);
        Task<int>[] answers = [.. Enumerable.Range(0, 6).Select(i => batcher.AskAsync(i, "", default))];
        gate.Release(100);
        Assert.Equal("three", (await Assert.ThrowsAsync<UniFaceException>(() => answers[3])).Message);
        int[] others = await Task.WhenAll(answers.Where((_, i) => i != 3));
        Assert.Equal([0, 1, 2, 4, 5], others);
    }
}
