namespace UniFace.Cli.Reports;

/// <summary>CSV files as in RFC 4180, with LF line ends.</summary>
internal static class Csv
{
    /// <summary>Writes a file row by row.</summary>
    public static void Write(string path, IEnumerable<IEnumerable<string>> rows) => AtomicFile.Write(path, stream =>
    {
        using StreamWriter writer = new(stream, leaveOpen: true) { NewLine = "\n" };
        foreach (IEnumerable<string> row in rows)
        {
            writer.WriteLine(string.Join(',', row.Select(Quote)));
        }
    });

    /// <summary>A field, in quotes if it needs them.</summary>
    public static string Quote(string text) =>
        text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
