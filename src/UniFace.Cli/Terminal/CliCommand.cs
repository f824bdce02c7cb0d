using Spectre.Console;
using System.CommandLine.Parsing;

namespace UniFace.Cli.Terminal;

/// <summary>A command declared in one expression: its name, help, arguments and options, and its action.</summary>
internal static class CliCommand
{
    /// <summary>Declares a command.</summary>
    /// <param name="name">The word on the command line.</param>
    /// <param name="description">What it does. Lines are joined, except those that begin with "Example:".</param>
    /// <param name="parameters">Arguments, options and subcommands, in the order of the help.</param>
    /// <param name="run">Runs it and returns the exit code.</param>
    public static Command Create(
        string name, string description, IEnumerable<Symbol> parameters, Func<ParseResult, CancellationToken, Task<int>> run)
    {
        Command command = new(name, description.Replace('\n', ' ').Replace(" Example:", "\nExample:", StringComparison.Ordinal));
        foreach (Symbol parameter in parameters)
        {
            switch (parameter)
            {
                case Argument argument: command.Add(argument); break;
                case Option option: command.Add(option); break;
                default: command.Add((Command)parameter); break;
            }
        }

        command.SetAction(run);
        return command;
    }

    /// <summary>Declares a command whose action does not wait for anything.</summary>
    public static Command Create(string name, string description, IEnumerable<Symbol> parameters, Func<ParseResult, CancellationToken, int> run) =>
        Create(name, description, parameters, (parsed, stop) => Task.FromResult(run(parsed, stop)));

    /// <summary>Whether an option is on the command line.</summary>
    public static bool IsGiven(this ParseResult parsed, Option option) => parsed.GetResult(option) is OptionResult { Implicit: false };

    /// <summary>Refuses two options together.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="one">One option.</param>
    /// <param name="other">The option that it excludes.</param>
    /// <param name="why">The reason, for the message, or null.</param>
    public static void Exclude(this ParseResult parsed, Option one, Option other, string? why = null)
    {
        if (parsed.IsGiven(one) && parsed.IsGiven(other))
        {
            throw new UniFaceException($"{one.Name} and {other.Name} exclude each other{(why is null ? "" : ": " + why)}.");
        }
    }

    /// <summary>Prints the result of a command: as JSON with --json, else as text.</summary>
    public static void Print(this ParseResult parsed, object json, Action text)
    {
        if (parsed.GetValue(CommonOptions.Json))
        {
            Output.Json(json);
        }
        else
        {
            text();
        }
    }

    /// <summary>Prints the result of a command: as JSON with --json, else as a table.</summary>
    public static void Print(this ParseResult parsed, object json, string[] columns, string[][] rows) => parsed.Print(json, () =>
    {
        Table table = Output.Table(columns);
        foreach (string[] row in rows)
        {
            table.AddRow([.. row.Select(Markup.Escape)]);
        }

        AnsiConsole.Write(table);
    });
}
