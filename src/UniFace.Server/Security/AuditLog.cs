using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace UniFace.Server.Security;

/// <summary>
/// Who did what, when: audit.jsonl in the data folder, a line an event, only ever appended to. Each line carries an HMAC over itself and the line
/// before, with the key in audit.key: a line that is changed, moved, or taken out of the middle shows; a cut end shows against a noted
/// last hash. Several processes may write. People are written down as keyed hashes, so that an erased name does not live on here.
/// </summary>
internal sealed partial class AuditLog : IAsyncDisposable
{
    private const int MaxLineBytes = 4096, KeyBytes = 32, PieceBytes = 1 << 20;
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly string path;
    private readonly byte[] key;
    private readonly ServerMetrics? metrics;
    private readonly ILogger? log;
    private readonly Channel<(AuditEvent Event, DateTimeOffset Time, TaskCompletionSource Written)> queue = Channel.CreateBounded<(AuditEvent, DateTimeOffset, TaskCompletionSource)>(10_000);
    private readonly Task writer;
    private volatile bool fails;

    /// <summary>The log of a data folder; a service counts and logs what cannot be written.</summary>
    public AuditLog(string dataFolder, ServerMetrics? metrics = null, ILogger<AuditLog>? log = null)
    {
        (this.metrics, this.log) = (metrics, log);
        path = PathIn(dataFolder);
        key = KeyIn(dataFolder);
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

    /// <summary>Checks a data folder's log as it is now; others may go on writing meanwhile.</summary>
    /// <param name="dataFolder">The data folder.</param>
    /// <param name="noted">A hash that was noted from an earlier check and must still be there; null for none.</param>
    /// <exception cref="UniFaceException">The log's key is missing or damaged.</exception>
    public static AuditCheck Verify(string dataFolder, string? noted = null)
    {
        string path = PathIn(dataFolder);
        if (!File.Exists(path))
        {
            return new AuditCheck(0, "", noted is null ? null : "there is no log, but a hash of one was noted", Unfinished: false);
        }

        byte[] key = ReadKey(dataFolder);
        (long whole, bool unfinished) = EndOf(path);
        string last = "";
        long lines = 0;
        bool found = noted is null;
        foreach (string text in ReadLines(path, whole))
        {
            lines++;
            (int at, string hash) = HashIn(text);
            if (at < 0 || hash != HashOf(key, last, text[..at]) || text != Line(text[..at], hash))
            {
                return new AuditCheck(lines, last, $"line {lines} is not what was written, or the line before it is missing", unfinished);
            }

            last = hash;
            found |= hash == noted;
        }

        return new AuditCheck(lines, last, found ? null : "the noted line is missing: the log's end was cut off, or it was replaced", unfinished);
    }

    /// <summary>Lines of the log up to a length in bytes. No writer waits longer than for one piece to be read.</summary>
    internal static IEnumerable<string> ReadLines(string path, long until)
    {
        byte[] piece = new byte[PieceBytes];
        int held = 0; // the begin of a line whose end is in the next piece
        for (long at = 0; at < until;)
        {
            int read;
            using (FileStream stream = OpenAlone(path, FileMode.Open))
            {
                stream.Seek(at, SeekOrigin.Begin);
                read = stream.Read(piece, held, (int)Math.Min(piece.Length - held, until - at));
            }

            at = read == 0 ? until : at + read; // shorter than it was: what is missing shows
            int begin = 0, filled = held + read;
            for (int end; (end = Array.IndexOf(piece, (byte)'\n', begin, filled - begin)) >= 0; begin = end + 1)
            {
                yield return Encoding.UTF8.GetString(piece, begin, end - begin);
            }

            held = filled - begin;
            if (held == piece.Length || (held > 0 && at == until))
            {
                yield return Encoding.UTF8.GetString(piece, begin, held); // no line of ours
                yield break;
            }

            Array.Copy(piece, begin, piece, 0, held);
        }
    }

    private const string HashField = ",\"hash\":\"";

    private static string PathIn(string dataFolder) => Path.Combine(dataFolder, "audit.jsonl");

    private static string Line(string text, string hash) => $"{text}{HashField}{hash}\"}}";

    // Where a line's hash begins, -1 for nowhere, and the hash.
    private static (int At, string Hash) HashIn(string line)
    {
        int at = line.LastIndexOf(HashField, StringComparison.Ordinal);
        return (at, at < 0 ? "" : line[(at + HashField.Length)..].TrimEnd('}', '"'));
    }

    private static string HashOf(byte[] key, string previous, string text) => Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(previous + "\n" + text)));

    // Where the last line ends, and whether more follows that a kill left half written.
    private static (long Whole, bool Unfinished) EndOf(string path)
    {
        using FileStream stream = OpenAlone(path, FileMode.Open);
        (byte[] tail, int end) = TailOf(stream);
        long whole = stream.Length - tail.Length + end + 1;
        return stream.Length - whole > MaxLineBytes ? (stream.Length, false) : (whole, whole < stream.Length);
    }

    private static string KeyPathIn(string dataFolder) => Path.Combine(dataFolder, "audit.key");

    private static byte[] KeyIn(string dataFolder)
    {
        string file = KeyPathIn(dataFolder);
        DataFolder.Make(dataFolder);
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            // Of several that start together one makes the key.
            using FileStream stream = new(file, options);
            stream.Write(RandomNumberGenerator.GetBytes(KeyBytes));
            stream.Flush(flushToDisk: true);
        }
        catch (IOException) when (File.Exists(file))
        {
        }

        return ReadKey(dataFolder);
    }

    private static byte[] ReadKey(string dataFolder)
    {
        string file = KeyPathIn(dataFolder);
        if (!File.Exists(file))
        {
            throw new UniFaceException($"{file}: the audit log's key is missing, and without it the log cannot be checked; restore it from a copy.");
        }

        byte[] key = File.ReadAllBytes(file);
        for (int tries = 0; key.Length < KeyBytes && tries < 500; tries++)
        {
            Thread.Sleep(10);
            key = File.ReadAllBytes(file);
        }

        return key.Length == KeyBytes ? key : throw new UniFaceException($"{file}: {key.Length} bytes, expected the audit log's key of {KeyBytes}; restore it from a copy.");
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
        await using FileStream stream = OpenAlone(path, FileMode.OpenOrCreate);
        string last = LastHash(stream);
        StringBuilder lines = new();
        foreach ((AuditEvent happened, DateTimeOffset time, _) in batch)
        {
            string? person = happened.Person is null ? null : Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes("person\n" + happened.Person)))[..24];
            string text = JsonSerializer.Serialize(new { time = time.ToString("O"), who = happened.Who, what = happened.What, person, detail = happened.Detail, status = happened.Status }, Json)[..^1];
            last = HashOf(key, last, text);
            lines.Append(Line(text, last)).Append('\n');
        }

        stream.Seek(0, SeekOrigin.End);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(lines.ToString()));
        stream.Flush(flushToDisk: true);
    }

    // Whoever writes or checks it has it alone; others, of other processes too, wait for their turn.
    private static FileStream OpenAlone(string path, FileMode mode)
    {
        for (int tries = 0; ; tries++)
        {
            try
            {
                return new FileStream(path, mode, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (tries < 1000 && File.Exists(path))
            {
                Thread.Sleep(10);
            }
        }
    }

    // A line that a kill left half written is cut off: it was not acknowledged.
    private static string LastHash(FileStream stream)
    {
        (byte[] tail, int end) = TailOf(stream);
        stream.SetLength(stream.Length - tail.Length + end + 1);
        if (end < 0)
        {
            return "";
        }

        string last = Encoding.UTF8.GetString(tail.AsSpan(0, end).ToArray().AsSpan(tail.AsSpan(0, end).LastIndexOf((byte)'\n') + 1));
        return HashIn(last).Hash;
    }

    // The last bytes, and where in them the last line ends; -1 for nowhere.
    private static (byte[] Tail, int End) TailOf(FileStream stream)
    {
        byte[] tail = new byte[Math.Min(stream.Length, 2 * MaxLineBytes)];
        stream.Seek(-tail.Length, SeekOrigin.End);
        stream.ReadExactly(tail);
        return (tail, Array.LastIndexOf(tail, (byte)'\n'));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "the audit log cannot be written, events are lost until it can: {Kind}: {Why}")]
    private static partial void Fails(ILogger log, string kind, string why);
}
