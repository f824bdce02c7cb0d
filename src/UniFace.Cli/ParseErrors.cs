using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace UniFace.Cli;

/// <summary>What is wrong with a command line, in one line: every error, and for a word that is not known the nearest that is.</summary>
internal static class ParseErrors
{
    /// <summary>All errors of a command line and where its help is; null if it has none, or asks for help, the version or suggestions.</summary>
    public static string? Describe(ParseResult parsed)
    {
        if (parsed.Action is not ParseErrorAction && parsed.Action != parsed.CommandResult.Command.Action)
        {
            return null;
        }

        // The library takes an option that it does not know for an argument, if there is room for one.
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

            // That a command is missing is no news where one was mistyped.
            .Where(error => unknown.Count == 0 || error.SymbolResult is not CommandResult)
            .Select(error => error.Message.ReplaceLineEndings("").Replace('\t', ' '))
            .Concat(unknown.Select(word => Unknown(word, parsed.CommandResult)))
            .Distinct();
        return $"{string.Join(" ", errors)} See '{PathOf(parsed.CommandResult)} --help'.";
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
        return $"'{word}' is not {(kind == "command" ? "a" : "an")} {kind} of {PathOf(at)}{(nearest is null ? "." : $"; did you mean '{nearest}'?")}";
    }

    private static string PathOf(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : CommandHost.Name;

    /// <summary>Letters to insert, delete, replace or swap with the next (optimal string alignment).</summary>
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
