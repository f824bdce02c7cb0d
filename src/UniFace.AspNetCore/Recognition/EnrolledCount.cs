namespace UniFace.AspNetCore.Recognition;

/// <summary>
/// The number of enrolled faces, which every identification needs. It is counted at most once every few seconds, because counting reads the
/// store. Thread-safe.
/// </summary>
internal sealed class EnrolledCount(ITemplateGallery gallery)
{
    private const long MaxAgeMilliseconds = 5000;

    private readonly Lock gate = new();
    private Task<long>? count;
    private long started;

    /// <summary>The number of templates.</summary>
    public Task<long> ReadAsync(CancellationToken stop)
    {
        lock (gate)
        {
            if (count is null || count.IsFaulted || Environment.TickCount64 - started > MaxAgeMilliseconds)
            {
                started = Environment.TickCount64;
                count = CountAsync();
            }

            return count.WaitAsync(stop);
        }
    }

    private async Task<long> CountAsync() => (await gallery.CountAsync()).Templates;
}
