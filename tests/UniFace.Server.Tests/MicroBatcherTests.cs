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
        await using MicroBatcher<int, int> batcher = new(
            async asked =>
            {
                await gate.WaitAsync();
                return [.. asked.Select(a => a * a)];
            },
            8,
            100,
            sizes.Enqueue);
        Task<int>[] answers = [.. Enumerable.Range(0, 17).Select(i => batcher.AskAsync(i, default))];
        gate.Release(100);
        Assert.Equal(Enumerable.Range(0, 17).Select(i => i * i), await Task.WhenAll(answers));

        // The first two batches took what was there when they began, the others all that waited.
        Assert.Equal(17, sizes.Sum());
        Assert.InRange(sizes.Count, 3, 5);
        Assert.All(sizes, size => Assert.InRange(size, 1, 8));
    }

    [Fact]
    public async Task A_full_queue_refuses_at_once_and_takes_more_when_there_is_room()
    {
        using SemaphoreSlim gate = new(0), begun = new(0);
        await using MicroBatcher<int, int> batcher = new(
            async asked =>
            {
                begun.Release();
                await gate.WaitAsync();
                return asked;
            },
            1,
            2);
        Task<int>[] underWay = [batcher.AskAsync(1, default), batcher.AskAsync(2, default)];
        await begun.WaitAsync();
        await begun.WaitAsync();
        Task<int>[] waiting = [batcher.AskAsync(3, default), batcher.AskAsync(4, default)];
        Assert.Equal(503, (await Assert.ThrowsAsync<ServerProblemException>(() => batcher.AskAsync(5, default))).Status);
        gate.Release(100);
        int[] answers = await Task.WhenAll([.. underWay, .. waiting]);
        Assert.Equal([1, 2, 3, 4], answers);
        Assert.Equal(6, await batcher.AskAsync(6, default));
    }

    [Fact]
    public async Task One_that_cannot_be_answered_does_not_cost_the_others_theirs()
    {
        using SemaphoreSlim gate = new(0);
        await using MicroBatcher<int, int> batcher = new(
            async asked =>
            {
                await gate.WaitAsync();
                return asked.Contains(3) ? throw new UniFaceException("three") : asked;
            },
            8,
            100);
        Task<int>[] answers = [.. Enumerable.Range(0, 6).Select(i => batcher.AskAsync(i, default))];
        gate.Release(100);
        Assert.Equal("three", (await Assert.ThrowsAsync<UniFaceException>(() => answers[3])).Message);
        int[] others = await Task.WhenAll(answers.Where((_, i) => i != 3));
        Assert.Equal([0, 1, 2, 4, 5], others);
    }
}
