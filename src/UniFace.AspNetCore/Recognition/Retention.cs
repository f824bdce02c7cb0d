namespace UniFace.AspNetCore.Recognition;

/// <summary>Removes people whose newest template is older than the retention period; checks every hour.</summary>
internal sealed partial class Retention(ServerOptions options, RecognizerSlot recognizer, AuditLog audit, TimeProvider time, ILogger<Retention> log)
    : BackgroundService
{
    /// <summary>Removes them now.</summary>
    /// <returns>How many were removed.</returns>
    public async Task<int> RunOnceAsync(CancellationToken stop)
    {
        if (options.RetentionDays is not int days || recognizer.Loaded?.Gallery is not StoredGallery gallery)
        {
            return 0;
        }

        int removed = 0;
        DateTimeOffset before = time.GetUtcNow().AddDays(-days);
        foreach (string person in await gallery.ListEnrolledBeforeAsync(before, stop))
        {
            await audit.AddAsync(new AuditEvent("retention", "delete", person, "begins"));
            bool done = await RemoveAsync(gallery, person, before, stop);
            await audit.AddAsync(new AuditEvent("retention", "delete", person, done ? null : "not removed"));
            removed += done ? 1 : 0;
        }

        // Erases what readers held up; if one still does, the next hour tries again.
        await gallery.EraseAsync(stop);
        return removed;
    }

    // Spares a person enrolled again since the list was made. One failure does not keep the others.
    private async Task<bool> RemoveAsync(StoredGallery gallery, string person, DateTimeOffset before, CancellationToken stop)
    {
        try
        {
            return await gallery.RemoveEnrolledBeforeAsync(person, before, stop);
        }
        catch (UniFaceException e)
        {
            Failed(log, e.InnerException?.GetType().Name);
            return e.InnerException is NotErasedException { Removed: true };
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(TimeSpan.FromHours(1), time);
        do
        {
            try
            {
                Removed(log, await RunOnceAsync(stoppingToken));
            }
#pragma warning disable CA1031 // The service goes on whatever failed.
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                Failed(log, (e.InnerException ?? e).GetType().Name);
            }
#pragma warning restore CA1031
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "retention: {People} people removed")]
    private static partial void Removed(ILogger log, int people);

    [LoggerMessage(Level = LogLevel.Error, Message = "retention failed: {Kind}; the next attempt is in an hour")]
    private static partial void Failed(ILogger log, string? kind);
}
