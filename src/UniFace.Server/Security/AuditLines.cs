using System.Security.Cryptography;
using System.Text;

namespace UniFace.Server.Security;

/// <summary>The lines of an audit log: JSON objects whose last field is an HMAC over the line and the hash of the line before.</summary>
internal static class AuditLines
{
    private const int MaxLineBytes = 4096, PieceBytes = 1 << 20;
    private const string HashField = ",\"hash\":\"";

    /// <summary>A line from its text, without the closing brace, and its hash.</summary>
    public static string Line(string text, string hash) => $"{text}{HashField}{hash}\"}}";

    /// <summary>Where a line's hash begins, -1 for nowhere, and the hash.</summary>
    public static (int At, string Hash) HashIn(string line)
    {
        int at = line.LastIndexOf(HashField, StringComparison.Ordinal);
        return (at, at < 0 ? "" : line[(at + HashField.Length)..].TrimEnd('}', '"'));
    }

    /// <summary>The hash of a text that follows a line of the previous hash.</summary>
    public static string HashOf(byte[] key, string previous, string text) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(previous + "\n" + text)));

    /// <summary>True if a line is what was written after the line of the previous hash.</summary>
    public static bool Follows(string line, byte[] key, string previous, out string hash)
    {
        (int at, hash) = HashIn(line);
        return at >= 0 && hash == HashOf(key, previous, line[..at]) && line == Line(line[..at], hash);
    }

    /// <summary>Where the last line ends, and whether more follows that a kill left half written: it was not acknowledged.</summary>
    public static (long Whole, bool Unfinished) EndOf(FileStream stream)
    {
        byte[] tail = new byte[Math.Min(stream.Length, 2 * MaxLineBytes)];
        stream.Seek(-tail.Length, SeekOrigin.End);
        stream.ReadExactly(tail);
        long whole = stream.Length - tail.Length + Array.LastIndexOf(tail, (byte)'\n') + 1;
        return stream.Length - whole > MaxLineBytes ? (stream.Length, false) : (whole, whole < stream.Length);
    }

    /// <summary>The lines from one place to another; others may append meanwhile.</summary>
    public static IEnumerable<string> Read(FileStream stream, long from, long until)
    {
        byte[] piece = new byte[PieceBytes];
        int held = 0; // the begin of a line whose end is in the next piece
        stream.Seek(from, SeekOrigin.Begin);
        for (long at = from; at < until;)
        {
            int read = stream.Read(piece, held, (int)Math.Min(piece.Length - held, until - at));
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
}
