namespace UniFace.Studio.Runs;

/// <summary>The newest rows of a run's metrics.</summary>
/// <param name="Written">When the file was last written, UTC; null if it is missing.</param>
/// <param name="Last">The newest row.</param>
/// <param name="LastEpoch">The newest row of an epoch.</param>
/// <param name="LastValidation">The newest row with a validation.</param>
internal sealed record RunDigest(DateTime? Written, JsonElement? Last, JsonElement? LastEpoch, JsonElement? LastValidation);

/// <summary>
/// The newest 16 MB of a metrics.jsonl that may grow. Reading again costs only the new lines; a file that was cut back or rewritten is read from its start.
/// A line is skipped until it is complete.
/// </summary>
internal sealed class RunMetrics(string path)
{
    private const int MaxBytes = 16 << 20, TailBytes = 256;

    private readonly Lock gate = new();
    private (long Length, DateTime Written) seen;
    private long start; // offset of the first row
    private long end; // offset after the last row
    private byte[] tail = []; // the last bytes before the end; they reveal a rewritten file
    private string passId = ""; // part of a cursor; changes when the file is read from its start
    private List<JsonElement>? rows; // null if only the digest is kept
    private JsonElement? last, lastEpoch, lastValidation;

    /// <summary>Size of the rows in memory, in bytes of the file.</summary>
    public long KeptBytes => rows is null ? 0 : end - start;

    /// <summary>The newest rows of each kind.</summary>
    public RunDigest Digest()
    {
        lock (gate)
        {
            Update(keepRows: false);
            return new RunDigest(seen == default ? null : seen.Written, last, lastEpoch, lastValidation);
        }
    }

    /// <summary>Rows, oldest first: those after a cursor, or all if the cursor is from another pass.</summary>
    public (IReadOnlyList<JsonElement> Rows, string Cursor, bool Whole) Read(string? after)
    {
        lock (gate)
        {
            Update(keepRows: true);
            int from = Position(after) ?? 0;
            return ([.. rows!.Skip(from)], $"{passId}-{rows!.Count}", from == 0);
        }
    }

    /// <summary>Drops the rows; the digest stays.</summary>
    public void Forget()
    {
        lock (gate)
        {
            rows = null;
        }
    }

    private int? Position(string? cursor) =>
        cursor?.Split('-') is [string pass, string count] && pass == passId
        && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int position) && position <= rows!.Count ? position : null;

    private void Update(bool keepRows)
    {
        FileInfo file = new(path);
        (long, DateTime) now = file.Exists ? (file.Length, file.LastWriteTimeUtc) : default;
        if (now == seen && (!keepRows || rows is not null))
        {
            return;
        }

        using FileStream? stream = Open();
        long length = stream?.Length ?? 0;
        if ((keepRows && rows is null) || length < end || length - start > 2 * MaxBytes || !Continues(stream))
        {
            Restart(Math.Max(0, length - MaxBytes), keepRows || rows is not null);
        }

        if (stream is not null)
        {
            ReadLines(stream, length);
        }

        seen = now;
    }

    private FileStream? Open()
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private bool Continues(FileStream? stream)
    {
        if (stream is null || tail.Length == 0)
        {
            return false;
        }

        byte[] there = new byte[tail.Length];
        stream.Seek(end - tail.Length, SeekOrigin.Begin);
        stream.ReadExactly(there);
        return there.AsSpan().SequenceEqual(tail);
    }

    private void Restart(long from, bool keep)
    {
        (start, end, tail, passId) = (from, from, [], Guid.NewGuid().ToString("N"));
        (last, lastEpoch, lastValidation) = (null, null, null);
        rows = keep ? [] : null;
    }

    // Reads the whole lines after the last row.
    private void ReadLines(FileStream stream, long length)
    {
        byte[] bytes = new byte[length - end];
        stream.Seek(end, SeekOrigin.Begin);
        ReadOnlySpan<byte> rest = bytes.AsSpan(0, stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        rest = rest[..(rest.LastIndexOf((byte)'\n') + 1)];
        if (rest.IsEmpty)
        {
            return;
        }

        end += rest.Length;
        tail = rest[Math.Max(0, rest.Length - TailBytes)..].ToArray();
        bool cut = start > 0 && end - rest.Length == start; // the first line may have begun earlier
        foreach (Range line in rest.Split((byte)'\n'))
        {
            if (!cut && Parse(rest[line]) is JsonElement row)
            {
                Add(row);
            }

            cut = false;
        }
    }

    private void Add(JsonElement row)
    {
        rows?.Add(row);
        last = row;
        if (row.TryGetProperty("kind", out JsonElement kind) && kind.ValueKind == JsonValueKind.String && kind.ValueEquals("epoch"))
        {
            lastEpoch = row;
        }

        if (row.TryGetProperty("validation", out JsonElement validation) && validation.ValueKind == JsonValueKind.Object)
        {
            lastValidation = row;
        }
    }

    private static JsonElement? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return !line.Trim(" \r\t"u8).IsEmpty && JsonSerializer.Deserialize<JsonElement>(line) is { ValueKind: JsonValueKind.Object } row ? row : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
