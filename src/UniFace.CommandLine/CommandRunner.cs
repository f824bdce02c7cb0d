using System.CommandLine.Help;
using Spectre.Console;
using UniFace.Gallery.Shards;

namespace UniFace.CommandLine;

/// <summary>Runs a command, and turns exceptions into one line and an exit code.</summary>
internal static class CommandRunner
{
    /// <summary>The name of the program.</summary>
    public const string Name = "uniface";

    /// <summary>Creates a command tree.</summary>
    public static RootCommand CreateRoot(string description, params Command[] commands)
    {
        // System.CommandLine names the root after the executable; [suggest] needs the alias.
        RootCommand root = new(description) { CliCommand.Json };
        Array.ForEach(commands, root.Add);
        root.HelpName = Name;
        root.Aliases.Add(Name);
        root.Options.OfType<HelpOption>().Single().Action = new HelpPage();
        return root;
    }

    /// <summary>Parses and runs a command line.</summary>
    /// <param name="root">The command tree.</param>
    /// <param name="args">The command line.</param>
    /// <param name="explain">Explains an exception that is not an input error; null if it cannot.</param>
    /// <param name="stoppedElsewhere">Whether another process of this job was interrupted, so that this one stops too; null: never.</param>
    public static async Task<int> RunAsync(
        RootCommand root, string[] args, Func<Exception, string?>? explain = null, Func<bool>? stoppedElsewhere = null)
    {
        if (args is [ShardWorker.Argument])
        {
            await ShardWorker.RunAsync(Console.OpenStandardInput(), Console.OpenStandardOutput());
            return 0;
        }

        Output.EscapeControlCharacters();
        if (Console.IsOutputRedirected)
        {
            // In a pipe, tables are as wide as their content: no cell is wrapped or cut.
            AnsiConsole.Profile.Width = 10_000;
        }

        using CancellationTokenSource stop = new();
        int stopped = ExitCode.Interrupted;
        void Stop(PosixSignalContext context)
        {
            // The first Ctrl-C, SIGTERM or SIGHUP lets the command save and stop; the second ends the process.
            context.Cancel = !stop.IsCancellationRequested;
            stopped = context.Signal == PosixSignal.SIGINT ? ExitCode.Interrupted : ExitCode.Terminated;
            stop.Cancel();
        }

        using PosixSignalRegistration interrupts = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminates = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using PosixSignalRegistration hangsUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        ParserConfiguration parsing = new() { ResponseFileTokenReplacer = null }; // A value may begin with '@'.
        ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args, parsing);
        ConfigFile? config = null;
        try
        {
            config = ConfigFile.Read(parsed);
            parsed = config is null ? parsed : root.Parse(config.AddTo(args), parsing);
            if (ParseErrors.Describe(parsed, config) is string errors)
            {
                return Fail(errors);
            }

            ShortenDescriptions(parsed.CommandResult.Command);
            InvocationConfiguration configuration = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(configuration, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested || stoppedElsewhere?.Invoke() == true)
        {
            Console.Error.WriteLine("stopped");
            return stopped;
        }
        catch (Exception e) when (Cause(e) is IOException or UnauthorizedAccessException or UniFaceException)
        {
            return Fail(config?.Locate(Cause(e).Message) + Cause(e).Message);
        }
        catch (Exception e) when (explain?.Invoke(e) is string explained)
        {
            return Fail(explained);
        }

        int Fail(string message)
        {
            message = message.ReplaceLineEndings(" ");
            Console.Error.WriteLine("error: " + message);
            if (parsed.GetValue(CliCommand.Json) && !CliCommand.HasPrintedJson)
            {
                Console.WriteLine(Output.ToConsoleJson(new { error = message }));
            }

            return ExitCode.BadInput;
        }
    }

    /// <summary>The first exception of parallel work, or the exception itself.</summary>
    private static Exception Cause(Exception e) =>
        e is AggregateException aggregate && aggregate.Flatten().InnerExceptions is [Exception first, ..] ? first : e;

    /// <summary>Leaves one sentence per subcommand in the list that the help of a command shows.</summary>
    private static void ShortenDescriptions(Command command)
    {
        foreach (Command child in command.Subcommands)
        {
            child.Description = child.Description?.Split('\n')[0].Split(". ")[0].TrimEnd('.') + ".";
        }
    }

}
