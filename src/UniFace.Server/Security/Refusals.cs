using System.Collections.Concurrent;
using System.Threading.RateLimiting;

namespace UniFace.Server.Security;

/// <summary>
/// Writes refused requests into the audit log: so many of each key one by one, so that nobody can fill the disk or push out another's; the rest
/// is counted by key, and the counts are written every minute and at the end.
/// </summary>
internal sealed class Refusals : IAsyncDisposable
{
    private const int AtOnce = 100;

    private readonly AuditLog audit;
    private readonly ITimer timer;
    private readonly ConcurrentDictionary<string, int> unwritten = new();
    private readonly PartitionedRateLimiter<string> oneByOne = PartitionedRateLimiter.Create<string, string>(who => RateLimitPartition.GetTokenBucketLimiter(
        who, _ => new TokenBucketRateLimiterOptions { TokenLimit = AtOnce, TokensPerPeriod = 1, ReplenishmentPeriod = TimeSpan.FromSeconds(1) }));

    public Refusals(AuditLog audit, TimeProvider time)
    {
        this.audit = audit;
        timer = time.CreateTimer(_ => Count(), null, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
    }

    /// <summary>A request was refused.</summary>
    /// <param name="who">As the log names the caller; there are as many names as keys.</param>
    /// <param name="route">What was asked for.</param>
    /// <param name="status">The answer.</param>
    /// <param name="stop">Stops the waiting for a place in the log.</param>
    public async Task AddAsync(string who, string? route, int status, CancellationToken stop)
    {
        using RateLimitLease lease = oneByOne.AttemptAcquire(who);
        if (lease.IsAcquired)
        {
            await audit.AddSoonAsync(new AuditEvent(who, "refused", null, route, status), stop);
        }
        else
        {
            unwritten.AddOrUpdate(who, 1, (_, count) => count + 1);
        }
    }

    /// <summary>Writes what is counted.</summary>
    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        await Task.WhenAll(Count());
        await oneByOne.DisposeAsync();
    }

    private Task[] Count() =>
    [
        .. unwritten.Keys.Select(who => unwritten.TryRemove(who, out int count)
            ? audit.AddSoonAsync(new AuditEvent(who, "refused", null, $"{count} more requests"), CancellationToken.None)
            : Task.CompletedTask),
    ];
}
