using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace UniFace.CommandLine;

/// <summary>Describes the errors of a command line in one line, with the nearest known word for each unknown one.</summary>
internal static class ParseErrors
{
    /// <summary>All errors and a pointer to the help; null if there are none, or if help, version or suggestions are requested.</summary>
    public static string? Describe(ParseResult parsed)
    {
        if (parsed.Action is not ParseErrorAction && parsed.Action != parsed.CommandResult.Command.Action)
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
            .Select(error => error.Message.ReplaceLineEndings("").Replace('\t', ' '))
            .Concat(unknown.Select(word => Unknown(word, parsed.CommandResult)))
            .Distinct();
        return $"{string.Join(" ", errors)} See '{GetPath(parsed.CommandResult)} --help'.";
    }

    private static string Unknown(string word, CommandResult at)
    {
        List<Symbol> known = [.. at.Command.Subcommands];
        for (CommandResult? command = at; command is not null; command = command.Parent as CommandResult)
        {
            known.AddRange(command.Command.Options.Where(option => command == at || option.Recursive));
        }

        string? nearest = known.Select(symbol => (symbol.Name, Distance: Distance(word, symbol.Name)))
            .Where(near => near.Distance <= Math.Max(1, word.Length / 3))
            .OrderBy(near => near.Distance).FirstOrDefault().Name;
        string kind = word.StartsWith('-') ? "option" : at.Command.Subcommands.Count > 0 ? "command" : "argument";
        return $"'{word}' is not {(kind == "command" ? "a" : "an")} {kind} of {GetPath(at)}{(nearest is null ? "." : $"; did you mean '{nearest}'?")}";
    }

    private static string GetPath(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{GetPath(parent)} {command.Command.Name}" : CommandRunner.Name;

    /// <summary>Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbors.</summary>
    private static int Distance(string a, string b)
    {
        int[,] d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                d[i, j] = i == 0 || j == 0
                    ? i + j
                    : Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
                }
            }
        }

        return d[a.Length, b.Length];
    }
}
