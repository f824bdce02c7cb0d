using System.Text.Encodings.Web;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace UniFace.CommandLine.Terminal;

/// <summary>A photo that a command could not use, and why.</summary>
internal sealed record SkippedPhoto(string Photo, string Reason);

/// <summary>What commands print: text and tables for people, one JSON document for programs.</summary>
internal static partial class Output
{
    private const int NarrowColumn = 12; // Columns of text wrap, but not below this.

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    private static readonly JsonSerializerOptions ConsoleOptions = new(Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Standard error without escaping, for cursor movements.</summary>
    public static TextWriter RawError { get; private set; } = Console.Error;

    /// <summary>
    /// Escapes control characters in everything printed from now on, except line ends and tabs: names of files and people are untrusted and
    /// may contain terminal commands.
    /// </summary>
    public static void EscapeControlCharacters()
    {
        AnsiConsole.Console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) }); // Its colors are escape sequences.
        RawError = Console.Error;
        Console.SetOut(new EscapingWriter(Console.Out));
        Console.SetError(new EscapingWriter(Console.Error));
    }

    /// <summary>A name on one line: control characters, line ends and bidirectional controls become \uXXXX.</summary>
    public static string Name(string name) => Escape(name, lines: false);

    /// <summary>Prints a table. Columns of numbers are right-aligned.</summary>
    /// <param name="columns">The headers; none are shown if all are empty.</param>
    /// <param name="rows">The cells: text of any origin, or renderables.</param>
    /// <param name="title">Text above the table.</param>
    public static void Table(string[] columns, IEnumerable<object[]> rows, string? title = null)
    {
        object[][] cells = [.. rows];
        Table table = new()
        {
            Border = TableBorder.Rounded,
            ShowHeaders = columns.Any(column => column.Length > 0),
            Title = title is null ? null : new TableTitle(Markup.Escape(title)),
        };
        int needed = 1;
        foreach ((int i, string column) in columns.Index())
        {
            bool hashes = cells.Any(row => Hash().IsMatch($"{row[i]}"));
            int widest = cells.Select(row => $"{row[i]}".Length).Append(column.Length).Max();
            needed += 3 + (hashes ? widest : Math.Min(NarrowColumn, widest));
            bool numbers = cells.All(row => $"{row[i]}".All(c => char.IsAsciiDigit(c) || " -+.,E%".Contains(c, StringComparison.Ordinal)));
            table.AddColumn(new TableColumn(new Text(column)) { Alignment = numbers ? Justify.Right : Justify.Left, NoWrap = hashes });
        }

        foreach (object[] row in cells)
        {
            table.AddRow(row.Select(cell => cell as IRenderable ?? new Text(Name($"{cell}"))));
        }

        // A terminal wraps a line that is too long for it; a hash that the table cuts or wraps cannot be copied.
        int width = AnsiConsole.Profile.Width;
        AnsiConsole.Profile.Width = Math.Max(width, needed);
        AnsiConsole.Write(table);
        AnsiConsole.Profile.Width = width;
    }

    [GeneratedRegex(@"\b[0-9a-f]{16,}\b")]
    private static partial Regex Hash();

    private static string Escape(string text, bool lines) => text.Any(c => IsEscaped(c, lines))
        ? string.Concat(text.Select(c => IsEscaped(c, lines) ? $"\\u{(int)c:X4}" : $"{c}"))
        : text;

    private static bool IsEscaped(char c, bool lines) => !(lines && (c is '\n' or '\t' || (c is '\r' && OperatingSystem.IsWindows())))
        && (char.IsControl(c) || c is '\u2028' or '\u2029' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069'));

    /// <summary>The JSON of an object, to add to.</summary>
    public static JsonObject ToJsonObject(object value) => JsonSerializer.SerializeToNode(value, value.GetType(), Options)!.AsObject();

    /// <summary>An object as JSON, with property names in camel case.</summary>
    public static string ToJson(object value) => JsonSerializer.Serialize(value, value.GetType(), Options);

    /// <summary>
    /// The same for standard output, where quotation marks and letters need no escapes as in a page of HTML, unless the output cannot encode them.
    /// </summary>
    public static string ToConsoleJson(object value)
    {
        string json = JsonSerializer.Serialize(value, value.GetType(), ConsoleOptions);
        return Console.OutputEncoding.CodePage == Encoding.UTF8.CodePage
            ? json
            : string.Concat(json.Select(c => char.IsAscii(c) ? $"{c}" : $"\\u{(int)c:X4}"));
    }

    /// <summary>Prints a warning on standard error, unless it is null.</summary>
    public static void Warn(string? warning)
    {
        if (warning is not null)
        {
            Console.Error.WriteLine("warning: " + warning);
        }
    }

    /// <summary>Names the photos that were skipped, and why, on standard error.</summary>
    public static void SkippedPhotos(IEnumerable<SkippedPhoto> photos)
    {
        foreach ((string photo, string reason) in photos)
        {
            Console.Error.WriteLine($"skipped: {Name(photo)}: {Name(reason)}");
        }
    }

    /// <summary>Names the files beside the photos that were not used, on standard error.</summary>
    public static void SkippedFiles(PhotoSet photos)
    {
        if (photos.Skipped.Count > 0)
        {
            Console.Error.WriteLine(SkippedFile.Describe(photos.Skipped));
        }
    }

    /// <summary>Refuses an output file that is also an input, following links.</summary>
    public static void RequireNotInput(string output, params IEnumerable<string?> inputs)
    {
        if (inputs.FirstOrDefault(input => input is not null && RealPath.AreSame(RealPath.Resolve(output), RealPath.Resolve(input))) is string same)
        {
            throw new UniFaceException($"{output} would replace the input {same}; name another file.");
        }
    }

    /// <summary>Refuses an output folder that exists and is not empty.</summary>
    public static void RequireNewFolder(string folder)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
        {
            throw new UniFaceException($"{folder} exists and is not empty; give the name of a new folder.");
        }
    }

    /// <summary>The error if no photo of a set could be used.</summary>
    public static UniFaceException NoFace(PhotoSet photos, IReadOnlyList<SkippedPhoto> skipped) => new(
        $"{photos.Source}: no usable face in any of {Plural.Format(photos.Names.Count, "photo")} ({skipped[0].Photo}: {skipped[0].Reason}); " +
        "nothing was written.");

    private sealed class EscapingWriter(TextWriter inner) : TextWriter
    {
        public override Encoding Encoding => inner.Encoding;

        public override void Write(char value) => Write(value.ToString());

        public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

        public override void Write(string? value) => inner.Write(Escape(value ?? "", lines: true));

        public override void WriteLine(string? value) => inner.WriteLine(Escape(value ?? "", lines: true));

        public override void Flush() => inner.Flush();
    }
}
