using Microsoft.VisualBasic.FileIO; // the CSV reader of .NET

namespace UniFace.Data.Pairs;

/// <summary>One comparison of a list of paths.</summary>
/// <param name="First">Path of the first image, as in the file.</param>
/// <param name="Second">Path of the second image.</param>
/// <param name="Same">Whether both images show one person.</param>
internal sealed record PathPair(string First, string Second, bool Same);

/// <summary>
/// A pairs file of lines "PATH PATH 0" or "PATH PATH 1" (1: one person), separated by tabs, commas (CSV, with quotes if a path contains a
/// comma) or spaces. A first line of column names is skipped.
/// </summary>
/// <param name="Pairs">All pairs in the file's order.</param>
internal sealed record PathPairs(IReadOnlyList<PathPair> Pairs)
{
    /// <summary>Reads a file of this form; null if its first lines have another form, such as LFW's.</summary>
    /// <exception cref="UniFaceException">A line differs from the first ones; the message names it.</exception>
    public static PathPairs? TryRead(string path)
    {
        List<PathPair> pairs = [];
        bool first = true;
        foreach ((int number, string text) in FileSegment.ReadLines(path))
        {
            string[] fields = Split(text);
            if (fields is [{ Length: > 0 }, { Length: > 0 }, _] && ParseSame(fields[2]) is bool same)
            {
                pairs.Add(new PathPair(fields[0], fields[1], same));
            }
            else if (pairs.Count > 0)
            {
                throw new UniFaceException(
                    $"{path}: line {number} is '{text.Shorten(80)}', expected PATH PATH 0 or 1, " +
                    "as in the lines before (with tabs or commas if a path contains spaces)");
            }
            else if (!first || fields.Length != 3)
            {
                return null;
            }

            first = false;
        }

        return pairs.Count > 0 ? new PathPairs(pairs) : null;
    }

    private static bool? ParseSame(string field) => field.ToUpperInvariant() switch
    {
        "1" or "TRUE" => true,
        "0" or "FALSE" => false,
        _ => null,
    };

    private static string[] Split(string text) =>
        text.Contains('\t') ? text.Split('\t', StringSplitOptions.TrimEntries)
        : text.Contains(',') ? SplitCsv(text)
        : text.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The fields of a line of CSV (RFC 4180); none if a quote is not closed.</summary>
    private static string[] SplitCsv(string text)
    {
        using TextFieldParser parser = new(new StringReader(text)) { Delimiters = [","] };
        try
        {
            return parser.ReadFields() ?? [];
        }
        catch (MalformedLineException)
        {
            return [];
        }
    }
}
