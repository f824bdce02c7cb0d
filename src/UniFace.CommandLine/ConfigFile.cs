using System.CommandLine.Help;
using System.CommandLine.Parsing;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace UniFace.CommandLine;

/// <summary>
/// A YAML file with options of a command: keys are option names without dashes. A sequence is a list, a mapping is written NAME=VALUE,...; true is a
/// flag that is given, false one that is not.
/// </summary>
internal sealed class ConfigFile
{
    private const int MaxBytes = 1 << 20;
    private const int MaxDepth = 20;
    private readonly List<(Option Option, int Line, string[] Values)> entries = [];
    private readonly HashSet<Option> used = [];

    private ConfigFile(string path) => Path = path;

    /// <summary>The path of the file.</summary>
    public string Path { get; }

    /// <summary>Reads the file of --config; null if the option is not given.</summary>
    /// <exception cref="UniFaceException">Not a YAML mapping, or a key that is no option of the command.</exception>
    public static ConfigFile? Read(ParseResult parsed)
    {
        if (!ParseErrors.IsForCommand(parsed) || parsed.GetResult(CommonOptions.Config) is not { Implicit: false, Tokens: [Token file] })
        {
            return null;
        }

        ConfigFile config = new(file.Value);
        foreach ((YamlNode key, YamlNode value) in ReadMapping(config.Path))
        {
            config.Add(parsed.CommandResult, (int)key.Start.Line, key as YamlScalarNode, value);
        }

        foreach ((Option option, _, _) in config.entries.Where(entry => !parsed.IsGiven(entry.Option)))
        {
            config.used.Add(option);
        }

        return config;
    }

    /// <summary>The command line with the options of the file that it does not give itself.</summary>
    public string[] AddTo(string[] args)
    {
        int end = Array.IndexOf(args, "--");
        end = end < 0 ? args.Length : end;
        return
        [
            .. args[..end],
            .. entries.Where(entry => used.Contains(entry.Option)).SelectMany(entry => entry.Values.Select(value => $"{entry.Option.Name}={value}")),
            .. args[end..],
        ];
    }

    /// <summary>The line that gave an option; null if the command line did, or nothing.</summary>
    public int? FindLine(Option option) => used.Contains(option) ? entries.First(entry => entry.Option == option).Line : null;

    /// <summary>
    /// The file and the line of the first option in an error message that the file gave, to begin the message with; null if there is none. A message names the
    /// option, or begins with its value, such as a path.
    /// </summary>
    public string? Locate(string message)
    {
        (int At, int Line) first = entries.Where(entry => used.Contains(entry.Option))
            .Select(entry => (At: Array.Exists(entry.Values, Begins) ? 0 : FindWord(message, entry.Option.Name), entry.Line))
            .Where(found => found.At >= 0).DefaultIfEmpty((-1, 0)).Min();
        return first.At < 0 ? null : $"{Path}, line {first.Line}: ";

        bool Begins(string value) => value.Length > 2 && (FindWord(message, value) == 0 || FindWord(message, System.IO.Path.GetFullPath(value)) == 0);

        static int FindWord(string text, string word)
        {
            int at = text.IndexOf(word, StringComparison.Ordinal), end = at + word.Length;
            return at >= 0 && end < text.Length && (char.IsAsciiLetterOrDigit(text[end]) || text[end] == '-') ? -1 : at;
        }
    }

    private static YamlMappingNode ReadMapping(string path)
    {
        if (!File.Exists(path))
        {
            throw new UniFaceException($"--config {path}: no such file; expected YAML with options, e.g. 'epochs: 20'.");
        }

        if (new FileInfo(path).Length > MaxBytes)
        {
            throw new UniFaceException($"--config {path}: larger than 1 MB; expected YAML with options, e.g. 'epochs: 20'.");
        }

        YamlStream yaml = [];
        try
        {
            string text = File.ReadAllText(path);
            RequireFlat(text);
            yaml.Load(new StringReader(text));
        }
        catch (YamlException e)
        {
            throw new UniFaceException($"{path}, line {e.Start.Line}: not valid YAML: {e.Message.TrimEnd('.')}; expected lines like 'epochs: 20'.", e);
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException)
        {
            // YamlDotNet throws these for some damaged files.
            throw new UniFaceException($"{path}, line 1 or later: not valid YAML: {e.Message.TrimEnd('.')}; expected lines like 'epochs: 20'.", e);
        }

        return yaml.Documents switch
        {
            [] => [],
            [{ RootNode: YamlMappingNode options }] => options,
            [{ RootNode: YamlNode other }, ..] => throw new UniFaceException($"{path}, line {other.Start.Line}: expected one list of lines like 'epochs: 20'."),
        };
    }

    /// <summary>Refuses lists in lists in lists ..., for each of which the loading calls itself.</summary>
    private static void RequireFlat(string text)
    {
        Parser parser = new(new StringReader(text));
        for (int depth = 0; parser.MoveNext();)
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaxDepth)
            {
                throw new YamlException(parser.Current.Start, parser.Current.End, "lists or mappings are nested too deeply");
            }
        }
    }

    private void Add(CommandResult command, int line, YamlScalarNode? key, YamlNode value)
    {
        string where = $"{Path}, line {line}: ";
        string name = key?.Value ?? throw new UniFaceException($"{where}expected a key like 'epochs'.");
        List<Option> options = [.. ParseErrors.GetOptions(command).Where(o => o != CommonOptions.Config && o is not (HelpOption or VersionOption))];
        Option? option = options.Find(o => o.Name == "--" + name || o.Aliases.Contains("--" + name));
        if (option is null)
        {
            bool argument = command.Command.Arguments.Any(a => a.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
            throw new UniFaceException(
                $"{where}'{name}' is not an option of {ParseErrors.GetPath(command)}" +
                (argument
                    ? "; it is an argument: give it on the command line."
                    : NearestWord.Suggest(name.TrimStart('-').Replace('_', '-'), options.Select(o => o.Name.TrimStart('-')))));
        }

        if (entries.Find(entry => entry.Option == option) is (not null, int first, _))
        {
            throw new UniFaceException($"{where}'{name}' is already given in line {first}; give an option once.");
        }

        string[] values = Values(where + $"'{name}': ", value, option.Arity.MaximumNumberOfValues > 1);
        if (option.ValueType == typeof(bool))
        {
            switch (values)
            {
                case ["true"]: break;
                case ["false"]: return;
                default: throw new UniFaceException($"{where}'{name}': expected true or false.");
            }
        }

        entries.Add((option, line, values));
    }

    private static string[] Values(string where, YamlNode value, bool several)
    {
        switch (value)
        {
            case YamlScalarNode { Value: { Length: > 0 } text } scalar when scalar.Style != ScalarStyle.Plain || text is not ("~" or "null"):
                return [text];
            case YamlSequenceNode list:
                string[] items = [.. list.Select(item => Scalar(where, item))];
                return items.Length == 0 ? throw new UniFaceException($"{where}expected a value.") : several ? items : [string.Join(',', items)];
            case YamlMappingNode map:
                return [string.Join(',', map.Select(pair => $"{Scalar(where, pair.Key)}={Scalar(where, pair.Value)}"))];
            default:
                throw new UniFaceException($"{where}expected a value; leave the key out for the default.");
        }
    }

    private static string Scalar(string where, YamlNode node) => node is YamlScalarNode { Value: { Length: > 0 } text }
        ? text
        : throw new UniFaceException($"{where}expected a value, a list of values or NAME: VALUE.");
}
