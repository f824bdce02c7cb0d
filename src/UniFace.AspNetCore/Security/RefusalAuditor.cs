using System.Threading.RateLimiting;

namespace UniFace.AspNetCore.Security;

/// <summary>
/// Writes refused requests to the audit log. So that they cannot fill the disk, each key has a rate; requests above it are only counted, and the counts are
/// written every minute and at the end.
/// </summary>
internal sealed class RefusalAuditor : IAsyncDisposable
{
    private const int Burst = 100;

    private readonly AuditLog audit;
    private readonly ITimer timer;
    private readonly ConcurrentDictionary<string, int> unwritten = new();
    private readonly PartitionedRateLimiter<string> oneByOne = PartitionedRateLimiter.Create<string, string>(who => RateLimitPartition.GetTokenBucketLimiter(
        who, _ => new TokenBucketRateLimiterOptions { TokenLimit = Burst, TokensPerPeriod = 1, ReplenishmentPeriod = TimeSpan.FromSeconds(1) }));

    public RefusalAuditor(AuditLog audit, TimeProvider time)
    {
        this.audit = audit;
        timer = time.CreateTimer(_ => WriteCounts(), null, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
    }

    /// <summary>Records a refused request.</summary>
    /// <param name="who">The caller's name in the log; there are as many names as keys.</param>
    /// <param name="route">The endpoint asked for.</param>
    /// <param name="status">The HTTP status sent.</param>
    /// <param name="stop">Stops waiting for a place in the log's queue.</param>
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

    /// <summary>Writes the remaining counts.</summary>
    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        await Task.WhenAll(WriteCounts());
        await oneByOne.DisposeAsync();
    }

    private Task[] WriteCounts() =>
    [
        .. unwritten.Keys.Select(who => unwritten.TryRemove(who, out int count)
            ? audit.AddSoonAsync(new AuditEvent(who, "refused", null, $"{count} more requests"), CancellationToken.None)
            : Task.CompletedTask),
    ];
}
