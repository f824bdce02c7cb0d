using System.CommandLine.Invocation;

namespace UniFace.CommandLine;

/// <summary>The help of a command: what it does, how it is called, and its options in groups.</summary>
internal sealed class HelpPage : SynchronousCommandLineAction
{
    private const int MaxLabel = 34;

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        int width = Console.IsOutputRedirected ? int.MaxValue : Math.Max(Console.WindowWidth - 1, 60);
        Write(parseResult.CommandResult.Command, Path(parseResult.CommandResult.Command), Console.Out, width);
        return ExitCode.Success;
    }

    /// <summary>Writes the help of a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="path">The words that lead to it.</param>
    /// <param name="output">The destination.</param>
    /// <param name="width">The characters of a line.</param>
    public static void Write(Command command, string path, TextWriter output, int width)
    {
        foreach (string line in (command.Description ?? "").Split('\n').SelectMany(line => Wrap(line, width)))
        {
            output.WriteLine(line);
        }

        output.WriteLine();
        output.WriteLine("Usage: " + string.Join(' ', Usage(command, path)));
        List<(string Title, List<(string Label, string Text)> Rows)> sections =
        [
            ("Arguments", [.. command.Arguments.Where(a => !a.Hidden).Select(a => (Label(a), Describe(a)))]),
            .. Options(command).Where(o => o is not IHelpOption { Listed: false })
                .GroupBy(o => (o as IHelpOption)?.Group ?? "Options")
                .OrderBy(group => group.Key == "Options") // Those of every command are last.
                .Select(group => (group.Key, group.Select(o => (Label(o), Describe(o))).ToList())),
            ("Commands", [.. command.Subcommands.Where(c => !c.Hidden).Select(c => (Label(c), c.Description ?? ""))]),
        ];
        int labels = sections.SelectMany(section => section.Rows).Select(row => row.Label.Length).Where(length => length <= MaxLabel).DefaultIfEmpty().Max();
        foreach ((string title, List<(string Label, string Text)> rows) in sections.Where(section => section.Rows.Count > 0))
        {
            output.WriteLine();
            output.WriteLine(title + ":");
            foreach ((string label, string text) in rows)
            {
                WriteRow(output, label, text, labels, width);
            }
        }
    }

    private static void WriteRow(TextWriter output, string label, string text, int labels, int width)
    {
        string indent = new(' ', labels + 4);
        string[] lines = [.. Wrap(text, Math.Max(width - indent.Length, 24))];
        if (label.Length > labels)
        {
            output.WriteLine("  " + label);
        }
        else
        {
            output.WriteLine($"  {label.PadRight(labels)}  {lines[0]}".TrimEnd());
        }

        foreach (string line in lines.Skip(label.Length > labels ? 0 : 1))
        {
            output.WriteLine(indent + line);
        }
    }

    private static IEnumerable<string> Usage(Command command, string path)
    {
        yield return path;
        foreach (Argument argument in command.Arguments.Where(a => !a.Hidden))
        {
            yield return argument.Arity.MinimumNumberOfValues == 0 ? $"[{Label(argument)}]" : Label(argument);
        }

        foreach (Option option in Options(command).Where(o => o.Required))
        {
            yield return Label(option);
        }

        if (command.Subcommands.Any(c => !c.Hidden))
        {
            yield return "[command]";
        }

        yield return "[options]";
    }

    /// <summary>The options of a command, in the order of its declaration, and those that every command has.</summary>
    private static IEnumerable<Option> Options(Command command)
    {
        IEnumerable<Option> all = command.Options;
        for (Command? parent = Parent(command); parent is not null; parent = Parent(parent))
        {
            all = all.Concat(parent.Options.Where(o => o.Recursive));
        }

        return all.Where(o => !o.Hidden);
    }

    private static Command? Parent(Command command) => command.Parents.OfType<Command>().FirstOrDefault();

    private static string Path(Command command) => Parent(command) is Command parent ? $"{Path(parent)} {command.Name}" : CommandRunner.Name;

    private static string Label(Symbol symbol) => symbol switch
    {
        Argument argument => $"<{argument.HelpName ?? argument.Name}>" + (argument.Arity.MaximumNumberOfValues > 1 ? "..." : ""),
        Command command => string.Join(' ', [command.Name, .. command.Arguments.Where(a => !a.Hidden).Select(Label)]),
        Option option => string.Join(", ", Names(option)) +
            (option.Arity.MaximumNumberOfValues == 0 || option.ValueType == typeof(bool) ? "" : $" <{option.HelpName ?? option.Name.TrimStart('-')}>"),
        _ => symbol.Name,
    };

    private static IEnumerable<string> Names(Option option) =>
        option.Aliases.Where(alias => alias.StartsWith('-')).Append(option.Name).OrderBy(name => name.Length > 2); // Short names first, and no "/h".

    private static string Describe(Symbol symbol) => symbol switch
    {
        Option { Required: true } option => $"(required) {option.Description}",
        Option { HasDefaultValue: true } option when option.ValueType != typeof(bool) =>
            option.Description + Default(option.GetDefaultValue()),
        Argument { HasDefaultValue: true } argument => argument.Description + Default(argument.GetDefaultValue()),
        _ => symbol.Description ?? "",
    };

    private static string Default(object? value) => value switch
    {
        null or "" or Array { Length: 0 } => "",
        Enum member => $" [default: {member.ToString().ToLowerInvariant()}]",
        IFormattable number => $" [default: {number.ToString(null, CultureInfo.InvariantCulture)}]",
        System.Collections.IEnumerable list and not string => $" [default: {string.Join(' ', list.Cast<object>())}]",
        _ => $" [default: {value}]",
    };

    private static IEnumerable<string> Wrap(string text, int width)
    {
        StringBuilder line = new();
        foreach (string word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.ToString();
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        yield return line.ToString();
    }
}
