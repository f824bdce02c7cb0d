namespace UniFace.AspNetCore.Recognition;

/// <summary>Removes people whose newest template is older than the retention period; checks every hour.</summary>
/// <param name="options">Say after how many days; null for never.</param>
/// <param name="services">Gallery and audit log, which are opened at their first use: not by a service that keeps everybody.</param>
/// <param name="time">The time.</param>
/// <param name="log">The log.</param>
internal sealed partial class Retention(ServerOptions options, IServiceProvider services, TimeProvider time, ILogger<Retention> log) : BackgroundService
{
    /// <summary>Removes these people now.</summary>
    /// <returns>Number of people removed.</returns>
    public async Task<int> RunOnceAsync(CancellationToken stop)
    {
        if (options.RetentionDays is not int days || services.GetRequiredService<RecognizerSlot>().Loaded?.Gallery is not StoredGallery gallery)
        {
            return 0;
        }

        AuditLog audit = services.GetRequiredService<AuditLog>();
        int removed = 0;
        DateTimeOffset before = time.GetUtcNow().AddDays(-days);
        foreach (string person in await gallery.ListEnrolledBeforeAsync(before, stop))
        {
            await audit.AddAsync(new AuditEvent("retention", "delete", person, "begins"));
            bool done = await RemoveAsync(gallery, person, before, stop);
            await audit.AddAsync(new AuditEvent("retention", "delete", person, done ? null : "not removed"));
            removed += done ? 1 : 0;
        }

        // Erases removed data that a reader has blocked; if one still does, the next run tries again.
        await gallery.EraseAsync(stop);
        return removed;
    }

    // Spares a person enrolled again since the list was made. A failure is logged, and the others are still removed.
    private async Task<bool> RemoveAsync(StoredGallery gallery, string person, DateTimeOffset before, CancellationToken stop)
    {
        try
        {
            return await gallery.RemoveEnrolledBeforeAsync(person, before, stop);
        }
        catch (UniFaceException e)
        {
            LogFailure(log, (e is NotErasedException ? e : e.InnerException ?? e).GetType().Name);
            return e is NotErasedException { Removed: true };
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.RetentionDays is null)
        {
            return;
        }

        using PeriodicTimer timer = new(TimeSpan.FromHours(1), time);
        do
        {
            try
            {
                LogRemoved(log, await RunOnceAsync(stoppingToken));
            }
#pragma warning disable CA1031 // The service continues after any failure.
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailure(log, (e.InnerException ?? e).GetType().Name);
            }
#pragma warning restore CA1031
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "retention: {People} people removed")]
    private static partial void LogRemoved(ILogger log, int people);

    [LoggerMessage(Level = LogLevel.Error, Message = "retention failed: {Kind}; the next attempt is in an hour")]
    private static partial void LogFailure(ILogger log, string? kind);
}
