using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Spectre.Console;
using UniFace.Data;
using UniFace.IO;

namespace UniFace.Cli;

/// <summary>How results leave a command: a table or sentence for people, one JSON document for programs.</summary>
internal static class Output
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>Standard error as it is, for what moves the cursor.</summary>
    public static TextWriter Terminal { get; private set; } = Console.Error;

    /// <summary>
    /// Escapes control characters in all that is printed from now on, but for line ends and tabs: names of files and people come from others and may hold
    /// commands to the terminal.
    /// </summary>
    public static void Guard()
    {
        AnsiConsole.Console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Out) }); // Its colours are commands.
        Terminal = Console.Error;
        Console.SetOut(new EscapingWriter(Console.Out));
        Console.SetError(new EscapingWriter(Console.Error));
    }

    /// <summary>A name on one line of text: control characters, line ends and characters that turn the direction of writing as \uXXXX.</summary>
    public static string Name(string name) => Escape(name, lines: false);

    /// <summary>A name in a cell of a table.</summary>
    public static string Cell(string name) => Markup.Escape(Name(name));

    private static string Escape(string text, bool lines)
    {
        if (!text.Any(c => IsEscaped(c, lines)))
        {
            return text;
        }

        StringBuilder escaped = new();
        foreach (char c in text)
        {
            _ = IsEscaped(c, lines) ? escaped.Append($"\\u{(int)c:X4}") : escaped.Append(c);
        }

        return escaped.ToString();
    }

    private static bool IsEscaped(char c, bool lines) => !(lines && (c is '\n' or '\t' || (c is '\r' && OperatingSystem.IsWindows())))
        && (char.IsControl(c) || c is '\u2028' or '\u2029' or (>= '\u202A' and <= '\u202E') or (>= '\u2066' and <= '\u2069'));

    /// <summary>Prints an object as JSON on standard output; property names in camel case.</summary>
    public static void Json(object value) => Console.Out.WriteLine(ToJson(value));

    /// <summary>Prints a warning under an answer for people; nothing for null.</summary>
    public static void Warn(string? warning)
    {
        if (warning is not null)
        {
            Console.WriteLine("warning: " + warning);
        }
    }

    /// <summary>Says on standard error which files beside the photos were not used.</summary>
    public static void LeftOut(PhotoSet photos)
    {
        if (photos.LeftOut.Count > 0)
        {
            Console.Error.WriteLine(LeftOutFile.Describe(photos.LeftOut));
        }
    }

    /// <summary>Refuses a file to be written that is one of those to be read, links followed.</summary>
    public static void RequireNotInput(string output, params IEnumerable<string?> inputs)
    {
        if (inputs.FirstOrDefault(input => input is not null && RealPath.Same(RealPath.Resolve(output), RealPath.Resolve(input))) is string same)
        {
            throw new UniFaceException($"{output} would replace {same}, which is to be read; name another file.");
        }
    }

    /// <summary>The text that <see cref="Json"/> prints, for a file of the same.</summary>
    public static string ToJson(object value) => JsonSerializer.Serialize(value, value.GetType(), Options);

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
