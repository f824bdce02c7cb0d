using System.Text.Encodings.Web;
using System.Threading.Channels;

namespace UniFace.AspNetCore.Audit;

/// <summary>
/// Records who did what and when: audit.jsonl in the data folder, one line per event, append-only. Each line has an HMAC over itself and the previous line,
/// with the key in audit.key, which reveals changed, moved and removed lines; audit.head reveals a cut end. A full file is renamed and the chain continues in
/// the next. Several processes may write. People are recorded as keyed hashes, so that erased names do not survive here.
/// </summary>
internal sealed partial class AuditLog : IAsyncDisposable
{
    // A write flushes the disk three times, so events that nobody waits for are collected first.
    private static readonly TimeSpan Collecting = TimeSpan.FromMilliseconds(50);

    private static readonly AuditLineJson Json = new(
        new JsonSerializerOptions(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    private readonly AuditFiles files;
    private readonly long maxBytes;
    private readonly ServerMetrics? metrics;
    private readonly ILogger? log;
    private readonly Channel<Entry> queue = Channel.CreateBounded<Entry>(10_000);
    private readonly SemaphoreSlim urgent = new(0); // somebody waits
    private readonly Task writer;
    private volatile bool fails;

    /// <summary>Opens the log of a data folder.</summary>
    /// <param name="dataFolder">The data folder.</param>
    /// <param name="maxBytes">Size at which a new file is started.</param>
    /// <param name="metrics">Counts lost events; null for nothing.</param>
    /// <param name="log">Reports lost events; null for nowhere.</param>
    public AuditLog(string dataFolder, long maxBytes = long.MaxValue, ServerMetrics? metrics = null, ILogger<AuditLog>? log = null)
    {
        (this.maxBytes, this.metrics, this.log) = (maxBytes, metrics, log);
        files = AuditFiles.ForWriting(dataFolder);
        writer = Task.Run(WriteAsync);
    }

    /// <summary>Queues an event to be written soon. <see cref="IsWritableAsync"/> tells whether events are written.</summary>
    public async Task AddSoonAsync(AuditEvent auditEvent, CancellationToken stop)
    {
        Task written = (await EnqueueAsync(auditEvent, stop)).Task;

        // Observes the exception, which the writer has logged.
        _ = written.ContinueWith(task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    /// <summary>Adds an event; completes when it is on the disk.</summary>
    public async Task AddAsync(AuditEvent auditEvent)
    {
        TaskCompletionSource written = await EnqueueAsync(auditEvent, CancellationToken.None);
        urgent.Release();
        await written.Task;
    }

    /// <summary>False while events cannot be written. After a failure, this tries to write an event of its own.</summary>
    public async Task<bool> IsWritableAsync()
    {
        if (fails)
        {
            try
            {
                await AddAsync(new AuditEvent("service", "the log is written again; events before this are missing"));
            }
            catch (UniFaceException)
            {
                // Still not writable, which is the answer.
            }
        }

        return !fails;
    }

    /// <summary>Writes the queued events.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        urgent.Release();
        await writer;
        urgent.Dispose();
    }

    private async Task<TaskCompletionSource> EnqueueAsync(AuditEvent auditEvent, CancellationToken stop)
    {
        TaskCompletionSource written = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await queue.Writer.WriteAsync(new Entry(auditEvent, DateTimeOffset.UtcNow, written), stop);
        return written;
    }

    private async Task WriteAsync()
    {
        List<Entry> batch = [];
        while (await queue.Reader.WaitToReadAsync())
        {
            await urgent.WaitAsync(Collecting);
            while (urgent.Wait(0))
            {
                // One write serves all who wait.
            }

            batch.Clear();
            while (batch.Count < 1000 && queue.Reader.TryRead(out Entry? item))
            {
                batch.Add(item);
            }

            try
            {
                await AppendAsync(batch);
                fails = false;
                batch.ForEach(item => item.Written.TrySetResult());
            }
#pragma warning disable CA1031 // Passed on to the callers.
            catch (Exception e)
            {
                if (!fails && log is not null)
                {
                    LogUnwritable(log, e.GetType().Name, e.Message);
                }

                fails = true;
                metrics?.AuditLost.Add(batch.Count);
                UniFaceException failure = new("the audit log cannot be written, so actions that it must record are refused", e);
                batch.ForEach(item => item.Written.TrySetException(failure));
            }
#pragma warning restore CA1031
        }
    }

    private async Task AppendAsync(List<Entry> batch)
    {
        using FileLock held = files.Lock();

        // Without the head the end is unknown: the chain is broken on purpose, so that every later check reports it.
        AuditHead head = files.ReadHead(out _) ?? files.Scan() with { Hash = "the head was missing" };
        FileStreamOptions options = new() { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using (FileStream stream = new(files.Log, options))
        {
            stream.SetLength(AuditLines.FindEnd(stream).End); // an unfinished line was not acknowledged
            foreach (string line in AuditLines.Read(stream, head.Length, stream.Length)) // lines written before a kill that came before the head
            {
                head = head with { Lines = head.Lines + 1, Hash = AuditLines.FindHash(line).Hash };
            }

            // If the log is shorter than its head says, the chain continues from the head, which reveals the missing lines.
            StringBuilder lines = new();
            foreach ((AuditEvent auditEvent, DateTimeOffset time, _) in batch)
            {
                string? person = auditEvent.Person is null ? null : AuditLines.ComputeHash(files.Key, "person", auditEvent.Person)[..24];
                string text = JsonSerializer.Serialize(
                    new AuditLine(time.ToString("O"), auditEvent.Who, auditEvent.What, person, auditEvent.Detail, auditEvent.Status),
                    Json.AuditLine)[..^1];
                head = head with { Lines = head.Lines + 1, Hash = AuditLines.ComputeHash(files.Key, head.Hash, text) };
                lines.Append(AuditLines.Format(text, head.Hash)).Append('\n');
            }

            stream.Seek(0, SeekOrigin.End);
            await stream.WriteAsync(Encoding.UTF8.GetBytes(lines.ToString()));
            stream.Flush(flushToDisk: true);
            files.WriteHead(head = head with { Length = stream.Length });
        }

        if (head.Length >= maxBytes)
        {
            File.Move(files.Log, files.Full(head.Files + 1));
            files.WriteHead(head with { Files = head.Files + 1, Length = 0 });
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the audit log cannot be written; events are lost until it can: {Kind}: {Why}")]
    private static partial void LogUnwritable(ILogger log, string kind, string why);

    private sealed record Entry(AuditEvent Event, DateTimeOffset Time, TaskCompletionSource Written);
}
