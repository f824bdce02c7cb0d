using UniFace.AspNetCore.Http;

namespace UniFace.AspNetCore.Tests.Http;

/// <summary>Large bodies beyond the memory limit wait and are not refused; small bodies never wait.</summary>
public sealed class BodyMemoryTests
{
    [Fact]
    public async Task A_large_body_waits_until_there_is_room_and_a_small_one_does_not()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        BodyMemory memory = new(megabytes: 100, largestBody: 16 << 20);
        IDisposable? first = await memory.AcquireAsync("a", 14 << 20, stop);
        Task<IDisposable?> second = memory.AcquireAsync("a", 14 << 20, stop).AsTask(), unknown = memory.AcquireAsync("a", null, stop).AsTask();
        Assert.Null(await memory.AcquireAsync("a", 1 << 20, stop));
        Assert.False(second.IsCompleted || unknown.IsCompleted);
        first!.Dispose();
        (await second)!.Dispose();
        (await unknown)!.Dispose();
    }

    [Fact]
    public async Task A_body_above_the_limit_is_admitted_alone()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        BodyMemory memory = new(megabytes: 1, largestBody: 16 << 20);
        IDisposable? first = await memory.AcquireAsync("a", 16 << 20, stop);
        using CancellationTokenSource cancelled = new();
        Task<IDisposable?> left = memory.AcquireAsync("a", 16 << 20, cancelled.Token).AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        first!.Dispose();
        (await memory.AcquireAsync("a", 16 << 20, stop))!.Dispose();
    }

    [Fact]
    public async Task Slow_bodies_of_one_caller_leave_room_for_others()
    {
        CancellationToken stop = TestContext.Current.CancellationToken;
        BodyMemory memory = new(megabytes: 256, largestBody: 16 << 20);
        List<Task<IDisposable?>> slow = [.. Enumerable.Range(0, 20).Select(_ => memory.AcquireAsync("slow", 16 << 20, stop).AsTask())];
        Assert.Equal(3, slow.Count(s => s.IsCompleted)); // 64 MB each: three quarters
        using (await memory.AcquireAsync("other", 2 << 20, stop).AsTask().WaitAsync(TimeSpan.FromSeconds(30), stop))
        {
        }

        foreach (Task<IDisposable?> one in slow)
        {
            (await one.WaitAsync(TimeSpan.FromSeconds(30), stop))!.Dispose();
        }
    }
}
