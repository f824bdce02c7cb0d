using System.CommandLine.Parsing;

namespace UniFace.CommandLine.Terminal;

/// <summary>A command declared in one expression: its name, help, arguments and options, and its action.</summary>
internal static class CliCommand
{
    /// <summary>--json, which every command has.</summary>
    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print the result or error as JSON on standard output, progress on standard error.",
        Recursive = true,
    };

    /// <summary>True once the result has been printed as JSON: a program reads one document.</summary>
    public static bool HasPrintedJson { get; private set; }

    /// <summary>Declares a command that gives an answer: exit code 0 for yes, 1 for no.</summary>
    /// <param name="name">The word on the command line.</param>
    /// <param name="description">What it does. Lines are joined, except those that begin with "Example:".</param>
    /// <param name="parameters">Arguments, options and subcommands, in the order of the help.</param>
    /// <param name="answer">Runs it and returns the answer.</param>
    public static Command Create(
        string name, string description, IEnumerable<Symbol> parameters, Func<ParseResult, CancellationToken, Task<bool>> answer)
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

        command.SetAction(async (parsed, stop) => await answer(parsed, stop) ? ExitCode.Success : ExitCode.Negative);
        return command;
    }

    /// <summary>Declares a command that gives an answer without waiting for anything.</summary>
    public static Command Create(string name, string description, IEnumerable<Symbol> parameters, Func<ParseResult, CancellationToken, bool> answer) =>
        Create(name, description, parameters, (parsed, stop) => Task.FromResult(answer(parsed, stop)));

    /// <summary>Declares a command that succeeds unless it throws.</summary>
    public static Command Create(string name, string description, IEnumerable<Symbol> parameters, Func<ParseResult, CancellationToken, Task> run) =>
        Create(name, description, parameters, async (parsed, stop) =>
        {
            await run(parsed, stop);
            return true;
        });

    /// <summary>Declares a command that succeeds unless it throws, and does not wait for anything.</summary>
    public static Command Create(string name, string description, IEnumerable<Symbol> parameters, Action<ParseResult, CancellationToken> run) =>
        Create(name, description, parameters, (parsed, stop) =>
        {
            run(parsed, stop);
            return true;
        });

    /// <summary>Whether an option is on the command line.</summary>
    public static bool IsGiven(this ParseResult parsed, Option option) => parsed.GetResult(option) is OptionResult { Implicit: false };

    /// <summary>Refuses an option without another one.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="option">An option.</param>
    /// <param name="required">The option that it needs.</param>
    /// <param name="meaning">What the missing option gives, or why it is needed, for the message.</param>
    public static void Require(this ParseResult parsed, Option option, Option required, string meaning)
    {
        if (parsed.IsGiven(option) && !parsed.IsGiven(required))
        {
            throw new UniFaceException($"{option.Name} requires {required.Name}: {meaning}.");
        }
    }

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
        if (parsed.GetValue(Json))
        {
            HasPrintedJson = true;
            Console.WriteLine(Output.ToConsoleJson(json));
        }
        else
        {
            text();
        }
    }

    /// <summary>Prints the result of a command: as JSON with --json, else as a line of text.</summary>
    public static void Print(this ParseResult parsed, object json, string text) => parsed.Print(json, () => Console.WriteLine(text));

    /// <summary>Prints the result of a command: as JSON with --json, else as a table.</summary>
    public static void Print(this ParseResult parsed, object json, string[] columns, IEnumerable<object[]> rows) =>
        parsed.Print(json, () => Output.Table(columns, rows));
}
