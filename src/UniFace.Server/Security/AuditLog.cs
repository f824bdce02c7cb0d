using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using UniFace.IO;

namespace UniFace.Server.Security;

/// <summary>
/// Who did what, when: audit.jsonl in the data folder, one line per event, only ever appended to. Each line carries an HMAC over itself and the line
/// before, with the key in audit.key: a line that is changed, moved, or taken out of the middle shows; a cut end shows by audit.head. A full file is
/// renamed, and the chain goes on in the next. Several processes may write. People are written down as keyed hashes, so that an erased name
/// does not live on here.
/// </summary>
internal sealed partial class AuditLog : IAsyncDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly AuditFiles files;
    private readonly long maxBytes;
    private readonly ServerMetrics? metrics;
    private readonly ILogger? log;
    private readonly Channel<(AuditEvent Event, DateTimeOffset Time, TaskCompletionSource Written)> queue = Channel.CreateBounded<(AuditEvent, DateTimeOffset, TaskCompletionSource)>(10_000);
    private readonly Task writer;
    private volatile bool fails;

    /// <summary>The log of a data folder; a service counts and logs what cannot be written.</summary>
    /// <param name="dataFolder">The data folder.</param>
    /// <param name="maxBytes">A file of this size is full: the next line begins another.</param>
    /// <param name="metrics">Counts what is lost.</param>
    /// <param name="log">Told when events are lost.</param>
    public AuditLog(string dataFolder, long maxBytes = long.MaxValue, ServerMetrics? metrics = null, ILogger<AuditLog>? log = null)
    {
        (this.maxBytes, this.metrics, this.log) = (maxBytes, metrics, log);
        files = AuditFiles.ToWrite(dataFolder);
        writer = Task.Run(WriteAsync);
    }

    /// <summary>Adds an event that is written soon; ends when it has its place among those that wait. Whether it was written <see cref="IsWritableAsync"/> tells.</summary>
    public async Task AddSoonAsync(AuditEvent happened, CancellationToken stop)
    {
        Task written = (await EnqueueAsync(happened, stop)).Task;
        _ = written.ContinueWith(task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default); // the writer has said so
    }

    /// <summary>Adds an event; ends when it is on the disk.</summary>
    public async Task AddAsync(AuditEvent happened) => await (await EnqueueAsync(happened, CancellationToken.None)).Task;

    /// <summary>False while events cannot be written; where the last could not, this tries one of its own.</summary>
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
            }
        }

        return !fails;
    }

    /// <summary>Writes what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await writer;
    }

    private async Task<TaskCompletionSource> EnqueueAsync(AuditEvent happened, CancellationToken stop)
    {
        TaskCompletionSource written = new(TaskCreationOptions.RunContinuationsAsynchronously);
        await queue.Writer.WriteAsync((happened, DateTimeOffset.UtcNow, written), stop);
        return written;
    }

    private async Task WriteAsync()
    {
        List<(AuditEvent Event, DateTimeOffset Time, TaskCompletionSource Written)> batch = [];
        while (await queue.Reader.WaitToReadAsync())
        {
            batch.Clear();
            while (batch.Count < 1000 && queue.Reader.TryRead(out (AuditEvent, DateTimeOffset, TaskCompletionSource) item))
            {
                batch.Add(item);
            }

            try
            {
                await AppendAsync(batch);
                fails = false;
                batch.ForEach(item => item.Written.TrySetResult());
            }
#pragma warning disable CA1031 // It is thrown to whoever waits.
            catch (Exception e)
            {
                if (!fails && log is not null)
                {
                    Fails(log, e.GetType().Name, e.Message);
                }

                fails = true;
                metrics?.AuditLost(batch.Count);
                batch.ForEach(item => item.Written.TrySetException(new UniFaceException("the audit log cannot be written, so nothing that it must hold is done", e)));
            }
#pragma warning restore CA1031
        }
    }

    private async Task AppendAsync(List<(AuditEvent Event, DateTimeOffset Time, TaskCompletionSource Written)> batch)
    {
        using FileLock held = files.Lock();

        // Without the head that must be there nothing is known of the end, and a chain that does not go on from the last line says so for good.
        AuditHead head = files.ReadHead(out _) ?? files.Scan() with { Hash = "the head was missing" };
        FileStreamOptions options = new() { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using (FileStream stream = new(files.Log, options))
        {
            stream.SetLength(AuditLines.EndOf(stream).Whole); // a line that a kill left half written was not acknowledged
            foreach (string line in AuditLines.Read(stream, head.Length, stream.Length)) // written before a kill that the head does not know of
            {
                head = head with { Lines = head.Lines + 1, Hash = AuditLines.HashIn(line).Hash };
            }

            // Where the log is shorter than its head says, the chain goes on from the head: what is missing shows.
            StringBuilder lines = new();
            foreach ((AuditEvent happened, DateTimeOffset time, _) in batch)
            {
                string? person = happened.Person is null ? null : AuditLines.HashOf(files.Key, "person", happened.Person)[..24];
                string text = JsonSerializer.Serialize(
                    new { time = time.ToString("O"), who = happened.Who, what = happened.What, person, detail = happened.Detail, status = happened.Status },
                    Json)[..^1];
                head = head with { Lines = head.Lines + 1, Hash = AuditLines.HashOf(files.Key, head.Hash, text) };
                lines.Append(AuditLines.Line(text, head.Hash)).Append('\n');
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

    [LoggerMessage(Level = LogLevel.Error, Message = "the audit log cannot be written, events are lost until it can: {Kind}: {Why}")]
    private static partial void Fails(ILogger log, string kind, string why);
}
