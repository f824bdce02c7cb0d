using System.Globalization;
using System.Text.Json;

namespace UniFace.Server.Runs;

/// <summary>What a list tells of a run's metrics.</summary>
/// <param name="Written">When the file was last written to, UTC; null where there is none.</param>
/// <param name="Last">The newest row.</param>
/// <param name="LastEpoch">The newest row of an epoch.</param>
/// <param name="LastValidation">The newest row with a validation.</param>
internal sealed record RunDigest(DateTime? Written, JsonElement? Last, JsonElement? LastEpoch, JsonElement? LastValidation);

/// <summary>
/// A metrics.jsonl that may grow: its newest 16 MB. Asked again, it costs a look at its length and last write where nothing was written,
/// and a read of the new lines where something was; one that was cut back or written anew is read from its start. A line that is cut
/// short is left out until it is whole.
/// </summary>
internal sealed class RunLog(string path)
{
    private const int MostBytes = 16 << 20;
    private const int TailBytes = 256;
    private readonly Lock gate = new();
    private (long Length, DateTime Written) seen;
    private long start; // where the rows begin
    private long end; // where the rows end: behind a line's end
    private byte[] tail = []; // the last bytes before the end, by which a file that was written anew is known
    private string name = ""; // of this reading, for cursors
    private List<JsonElement>? rows; // null: only the digest is kept
    private JsonElement? last, lastEpoch, lastValidation;

    /// <summary>Bytes whose rows are kept.</summary>
    public long Kept => rows is null ? 0 : end - start;

    /// <summary>The newest rows of each kind.</summary>
    public RunDigest Digest()
    {
        lock (gate)
        {
            Update(wanted: false);
            return new RunDigest(seen == default ? null : seen.Written, last, lastEpoch, lastValidation);
        }
    }

    /// <summary>Rows, oldest first: those behind a cursor, or all where the cursor is none of this reading.</summary>
    public (IReadOnlyList<JsonElement> Rows, string Cursor, bool Whole) Read(string? after)
    {
        lock (gate)
        {
            Update(wanted: true);
            int from = Position(after) ?? 0;
            return ([.. rows!.Skip(from)], $"{name}-{rows!.Count}", from == 0);
        }
    }

    /// <summary>Lets go of the rows; the digest stays.</summary>
    public void Forget()
    {
        lock (gate)
        {
            rows = null;
        }
    }

    private int? Position(string? cursor) =>
        cursor?.Split('-') is [string reading, string count] && reading == name && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int position) && position <= rows!.Count ? position : null;

    private void Update(bool wanted)
    {
        FileInfo file = new(path);
        (long, DateTime) now = file.Exists ? (file.Length, file.LastWriteTimeUtc) : default;
        if (now == seen && (!wanted || rows is not null))
        {
            return;
        }

        using FileStream? stream = Open();
        long length = stream?.Length ?? 0;
        if ((wanted && rows is null) || length < end || length - start > 2 * MostBytes || !Continues(stream))
        {
            Restart(Math.Max(0, length - MostBytes), wanted || rows is not null);
        }

        if (stream is not null)
        {
            Take(stream, length);
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
        (start, end, tail, name) = (from, from, [], Guid.NewGuid().ToString("N"));
        (last, lastEpoch, lastValidation) = (null, null, null);
        rows = keep ? [] : null;
    }

    /// <summary>Takes the whole lines from the end of the rows on.</summary>
    private void Take(FileStream stream, long length)
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
        bool cut = start > 0 && end - rest.Length == start; // the first line may have begun before
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
        lastEpoch = row.TryGetProperty("kind", out JsonElement kind) && kind.ValueKind == JsonValueKind.String && kind.ValueEquals("epoch") ? row : lastEpoch;
        lastValidation = row.TryGetProperty("validation", out JsonElement validation) && validation.ValueKind == JsonValueKind.Object ? row : lastValidation;
    }

    private static JsonElement? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return line.Trim(" \r\t"u8).IsEmpty || JsonSerializer.Deserialize<JsonElement>(line) is not { ValueKind: JsonValueKind.Object } row ? null : row;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
