using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace UniFace.CommandLine;

/// <summary>Describes the errors of a command line in one line, with the nearest known word for each unknown one.</summary>
internal static class ParseErrors
{
    /// <summary>All errors and a pointer to the help; null if there are none, or if help, version or suggestions are requested.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="config">The configuration file that gave some of the options, or null.</param>
    public static string? Describe(ParseResult parsed, ConfigFile? config = null)
    {
        if (!IsForCommand(parsed))
        {
            return null;
        }

        // System.CommandLine takes an unknown option for an argument if one is still missing.
        IEnumerable<string> options = parsed.Tokens.Any(token => token.Type == TokenType.DoubleDash)
            ? []
            : parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value)
                .Where(word => word.Length > 1 && word[0] == '-' && !char.IsAsciiDigit(word[1]));
        List<string> unknown = [.. parsed.UnmatchedTokens.Concat(options).Select(word => word.StartsWith('-') ? word.Split('=')[0] : word).Distinct()];
        if (parsed.Errors.Count + unknown.Count == 0)
        {
            return null;
        }

        IEnumerable<string> errors = parsed.Errors

            // A missing command is not reported if one was mistyped.
            .Where(error => unknown.Count == 0 || error.SymbolResult is not CommandResult)
            .Select(error => Origin(error, config) + error.Message.ReplaceLineEndings("").Replace('\t', ' '))
            .Concat(unknown.Select(word => Unknown(word, parsed.CommandResult)))
            .Distinct();
        return $"{string.Join(" ", errors)} See '{GetPath(parsed.CommandResult)} --help'.";
    }

    /// <summary>True if the command itself is to run, and not its help, the version or a directive.</summary>
    public static bool IsForCommand(ParseResult parsed) => parsed.Action is ParseErrorAction || parsed.Action == parsed.CommandResult.Command.Action;

    /// <summary>The words that lead to a command, e.g. "uniface gallery enroll".</summary>
    public static string GetPath(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{GetPath(parent)} {command.Command.Name}" : CommandRunner.Name;

    /// <summary>The options of a command, and those of its parents that apply to it.</summary>
    public static IEnumerable<Option> GetOptions(CommandResult at)
    {
        for (CommandResult? command = at; command is not null; command = command.Parent as CommandResult)
        {
            foreach (Option option in command.Command.Options.Where(option => command == at || option.Recursive))
            {
                yield return option;
            }
        }
    }

    private static string Origin(ParseError error, ConfigFile? config)
    {
        SymbolResult? result = error.SymbolResult is ArgumentResult argument ? argument.Parent : error.SymbolResult;
        return result is OptionResult option && config?.FindLine(option.Option) is int line ? $"{config.Path}, line {line}: " : "";
    }

    private static string Unknown(string word, CommandResult at)
    {
        string kind = word.StartsWith('-') ? "option" : at.Command.Subcommands.Count > 0 ? "command" : "argument";
        IEnumerable<string> known = at.Command.Subcommands.Select(command => command.Name).Concat(GetOptions(at).Select(option => option.Name));
        return $"'{word}' is not {(kind == "command" ? "a" : "an")} {kind} of {GetPath(at)}{NearestWord.Suggest(word, known)}";
    }
}
