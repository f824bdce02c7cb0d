namespace UniFace.AspNetCore.Audit;

/// <summary>A line of an audit log without its hash.</summary>
internal sealed record AuditLine(string Time, string Who, string What, string? Person, string? Detail, int Status);

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(AuditLine))]
internal sealed partial class AuditLineJson : JsonSerializerContext;

/// <summary>The lines of an audit log: JSON objects whose last field is an HMAC over the line and the hash of the previous line.</summary>
internal static class AuditLines
{
    private const int MaxLineBytes = 4096, PieceBytes = 1 << 20;
    private const string HashField = ",\"hash\":\"";

    /// <summary>Builds a line from its text, without the closing brace, and its hash.</summary>
    public static string Format(string text, string hash) => $"{text}{HashField}{hash}\"}}";

    /// <summary>Finds where a line's hash field begins, -1 if there is none, and the hash.</summary>
    public static (int At, string Hash) FindHash(string line)
    {
        int at = line.LastIndexOf(HashField, StringComparison.Ordinal);
        return (at, at < 0 ? "" : line[(at + HashField.Length)..].TrimEnd('}', '"'));
    }

    /// <summary>Hash of a line's text, chained to the hash of the previous line.</summary>
    public static string ComputeHash(byte[] key, string previous, string text) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(previous + "\n" + text)));

    /// <summary>True if the line is unchanged and follows the line with the previous hash.</summary>
    public static bool Follows(string line, byte[] key, string previous, out string hash)
    {
        (int at, hash) = FindHash(line);
        return at >= 0 && hash == ComputeHash(key, previous, line[..at]) && line == Format(line[..at], hash);
    }

    /// <summary>Finds where the last whole line ends, and whether an unfinished line follows, which was not acknowledged.</summary>
    public static (long End, bool HasPartialLine) FindEnd(FileStream stream)
    {
        byte[] tail = new byte[Math.Min(stream.Length, 2 * MaxLineBytes)];
        stream.Seek(-tail.Length, SeekOrigin.End);
        stream.ReadExactly(tail);
        long whole = stream.Length - tail.Length + Array.LastIndexOf(tail, (byte)'\n') + 1;
        return stream.Length - whole > MaxLineBytes ? (stream.Length, false) : (whole, whole < stream.Length);
    }

    /// <summary>Reads the lines between two offsets; other processes may append meanwhile.</summary>
    public static IEnumerable<string> Read(FileStream stream, long from, long until)
    {
        byte[] piece = new byte[Math.Clamp(until - from, 0, PieceBytes)]; // mostly empty: a writer finds nothing after the head
        int held = 0; // bytes of a line that continues in the next piece
        stream.Seek(from, SeekOrigin.Begin);
        for (long at = from; at < until;)
        {
            int read = stream.Read(piece, held, (int)Math.Min(piece.Length - held, until - at));
            at = read == 0 ? until : at + read; // the file became shorter; the caller notices missing lines
            int begin = 0, filled = held + read;
            for (int end; (end = Array.IndexOf(piece, (byte)'\n', begin, filled - begin)) >= 0; begin = end + 1)
            {
                yield return Encoding.UTF8.GetString(piece, begin, end - begin);
            }

            held = filled - begin;
            if (held == piece.Length || (held > 0 && at == until))
            {
                yield return Encoding.UTF8.GetString(piece, begin, held); // not one of our lines
                yield break;
            }

            Array.Copy(piece, begin, piece, 0, held);
        }
    }
}
