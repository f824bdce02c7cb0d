using System.Text;

namespace UniFace.Data;

/// <summary>One comparison of a list of paths.</summary>
/// <param name="First">Path of the first picture, as in the file.</param>
/// <param name="Second">Path of the second picture.</param>
/// <param name="Same">Whether both pictures show one person.</param>
public sealed record PathPair(string First, string Second, bool Same);

/// <summary>
/// A pairs file of lines "PATH PATH 0" or "PATH PATH 1" (1: one person), separated by tabs, commas (CSV, with quotes where a path holds
/// a comma) or spaces. A first line of column names is passed over.
/// </summary>
/// <param name="Pairs">All pairs in the file's order.</param>
public sealed record PathPairs(IReadOnlyList<PathPair> Pairs)
{
    /// <summary>Reads a file of this form; null if its first lines are of another, such as LFW's.</summary>
    /// <exception cref="UniFaceException">A line is not as the first ones are; says which.</exception>
    public static PathPairs? TryRead(string path)
    {
        FileSegment file = FileSegment.Open(path, out Microsoft.Win32.SafeHandles.SafeFileHandle handle);
        using (handle)
        {
            List<PathPair> pairs = [];
            bool first = true;
            foreach ((int number, string text) in file.Lines())
            {
                if (string.IsNullOrWhiteSpace(text))
                {
                    continue;
                }

                string[] fields = Fields(first ? text.TrimStart('\uFEFF') : text);
                bool? same = fields.Length == 3 && fields[0].Length > 0 && fields[1].Length > 0 ? Answer(fields[2]) : null;
                if (same is bool answer)
                {
                    pairs.Add(new PathPair(fields[0], fields[1], answer));
                }
                else if (pairs.Count > 0)
                {
                    throw new UniFaceException(
                        $"{path}: line {number} is '{(text.Length > 80 ? text[..80] + "..." : text)}', expected PATH PATH 0 or 1, " +
                        "as in the lines before (with tabs or commas where a path holds spaces).");
                }
                else if (!first || fields.Length != 3)
                {
                    return null;
                }

                first = false;
            }

            return pairs.Count > 0 ? new PathPairs(pairs) : null;
        }
    }

    private static bool? Answer(string field) => field.ToUpperInvariant() switch
    {
        "1" or "TRUE" => true,
        "0" or "FALSE" => false,
        _ => null,
    };

    private static string[] Fields(string text) =>
        text.Contains('\t', StringComparison.Ordinal) ? text.Split('\t', StringSplitOptions.TrimEntries)
        : text.Contains(',', StringComparison.Ordinal) ? Csv(text)
        : text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The fields of a line of CSV (RFC 4180).</summary>
    private static string[] Csv(string text)
    {
        List<string> fields = [];
        StringBuilder field = new();
        bool quoted = false;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '"' && quoted && i + 1 < text.Length && text[i + 1] == '"')
            {
                field.Append(text[i++]);
            }
            else if (text[i] == '"')
            {
                quoted = !quoted;
            }
            else if (text[i] == ',' && !quoted)
            {
                fields.Add(field.ToString().Trim());
                field.Clear();
            }
            else
            {
                field.Append(text[i]);
            }
        }

        return [.. fields, field.ToString().Trim()];
    }
}
