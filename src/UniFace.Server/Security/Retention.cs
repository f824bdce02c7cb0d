using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using UniFace.Gallery;
using UniFace.Server.Recognition;

namespace UniFace.Server.Security;

/// <summary>Removes people whose newest template is older than the service is told to keep; looks every hour.</summary>
internal sealed partial class Retention(ServerOptions options, Recognizer recognizer, AuditLog audit, TimeProvider time, ILogger<Retention> log) : BackgroundService
{
    /// <summary>Removes them now.</summary>
    /// <returns>How many.</returns>
    public async Task<int> RunOnceAsync(CancellationToken stop)
    {
        if (options.RetentionDays is not int days || !recognizer.HasModel)
        {
            return 0;
        }

        int removed = 0;
        IStoredGallery gallery = recognizer.Gallery;
        DateTimeOffset before = time.GetUtcNow().AddDays(-days);
        foreach (string person in await gallery.ListEnrolledBeforeAsync(before, stop))
        {
            await audit.AddAsync(new AuditEvent("retention", "delete", person, "begins"));
            bool gone = await RemoveAsync(gallery, person, before, stop);
            await audit.AddAsync(new AuditEvent("retention", "delete", person, gone ? null : "not removed"));
            removed += gone ? 1 : 0;
        }

        // What a reader held up; where one still does, the next hour tries again.
        await gallery.EraseAsync(stop);
        return removed;
    }

    // Nobody who was enrolled anew since the list was made; and who cannot be removed does not keep the others.
    private async Task<bool> RemoveAsync(IStoredGallery gallery, string person, DateTimeOffset before, CancellationToken stop)
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
#pragma warning disable CA1031 // Whatever it was, the next hour may do better, and the service goes on.
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

    [LoggerMessage(Level = LogLevel.Error, Message = "retention failed: {Kind}; it is tried again in an hour")]
    private static partial void Failed(ILogger log, string? kind);
}
