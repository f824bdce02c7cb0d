using System.Collections.Concurrent;
using UniFace.AspNetCore.Scheduling;

namespace UniFace.AspNetCore.Tests.Scheduling;

/// <summary>Every item gets its own result, whatever the batch it ran in and whatever happened to the other items of that batch.</summary>
public sealed class MicroBatcherTests
{
    [Fact]
    public async Task Waiting_items_run_in_one_batch_and_get_their_own_results()
    {
        using SemaphoreSlim gate = new(0);
        ConcurrentQueue<int> sizes = [];
        await using MicroBatcher<int, int> batcher = new(
            async inputs =>
            {
                sizes.Enqueue(inputs.Count);
                await gate.WaitAsync();
                return [.. inputs.Select(i => i * i)];
            },
            8,
            100);
        Task<int>[] results = [.. Enumerable.Range(0, 17).Select(i => batcher.RunAsync(i, "", default))];
        gate.Release(100);
        Assert.Equal(Enumerable.Range(0, 17).Select(i => i * i), await Task.WhenAll(results));

        // The first batch took what was there when it began, the others all that waited.
        Assert.Equal(17, sizes.Sum());
        Assert.InRange(sizes.Count, 3, 4);
        Assert.All(sizes, size => Assert.InRange(size, 1, 8));
    }

    [Fact]
    public async Task Items_added_together_run_together()
    {
        ConcurrentQueue<int> sizes = [];
        await using MicroBatcher<int, int> batcher = new(
            inputs =>
            {
                sizes.Enqueue(inputs.Count);
                return Task.FromResult<IReadOnlyList<int>>([.. inputs]);
            },
            8,
            100);
        int[] results = await Task.WhenAll(batcher.RunAsync([.. Enumerable.Range(0, 6).Select(i => (i, "", CancellationToken.None))]));
        Assert.Equal([0, 1, 2, 3, 4, 5], results);
        Assert.Equal([6], sizes);
    }

    [Fact]
    public async Task A_full_queue_refuses_at_once_and_takes_more_when_there_is_room()
    {
        using SemaphoreSlim gate = new(0), begun = new(0);
        await using MicroBatcher<int, int> batcher = new(
            async inputs =>
            {
                begun.Release();
                await gate.WaitAsync();
                return [.. inputs];
            },
            1,
            2);
        Task<int> first = batcher.RunAsync(1, "", default);
        await begun.WaitAsync();
        Task<int>[] waiting = [batcher.RunAsync(2, "", default), batcher.RunAsync(3, "", default)];
        Assert.Equal(503, (await Assert.ThrowsAsync<ProblemException>(() => batcher.RunAsync(4, "", default))).Status);
        gate.Release(100);
        int[] results = await Task.WhenAll([first, .. waiting]);
        Assert.Equal([1, 2, 3], results);
        Assert.Equal(5, await batcher.RunAsync(5, "", default));
    }

    [Fact]
    public async Task A_failing_item_does_not_fail_the_others()
    {
        using SemaphoreSlim gate = new(0);
        await using MicroBatcher<int, int> batcher = new(
            async inputs =>
            {
                await gate.WaitAsync();
                return inputs.Contains(3) ? throw new UniFaceException("three") : [.. inputs];
            },
            8,
            100);
        Task<int>[] results = [.. Enumerable.Range(0, 6).Select(i => batcher.RunAsync(i, "", default))];
        gate.Release(100);
        Assert.Equal("three", (await Assert.ThrowsAsync<UniFaceException>(() => results[3])).Message);
        int[] others = await Task.WhenAll(results.Where((_, i) => i != 3));
        Assert.Equal([0, 1, 2, 4, 5], others);
    }

    [Fact]
    public async Task A_cancelled_item_does_not_run()
    {
        using SemaphoreSlim gate = new(0), begun = new(0);
        ConcurrentQueue<int> ran = [];
        await using MicroBatcher<int, int> batcher = new(
            async inputs =>
            {
                begun.Release();
                await gate.WaitAsync();
                ran.Enqueue(inputs[0]);
                return [.. inputs];
            },
            1,
            10);
        using CancellationTokenSource left = new();
        Task<int> first = batcher.RunAsync(1, "", default);
        await begun.WaitAsync();
        Task<int> cancelled = batcher.RunAsync(2, "", left.Token), third = batcher.RunAsync(3, "", default);
        await left.CancelAsync();
        gate.Release(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        await Task.WhenAll(first, third);
        Assert.Equal([1, 3], ran);
    }
}
