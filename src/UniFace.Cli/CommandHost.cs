using System.CommandLine;
using System.Runtime.InteropServices;
using Spectre.Console;
using UniFace.Benchmarks.Commands;
using UniFace.Cli.Data;
using UniFace.Cli.Demo;
using UniFace.Cli.Eval;
using UniFace.Cli.Gallery;
using UniFace.Cli.Losses;
using UniFace.Cli.Models;
using UniFace.Cli.Photos;
using UniFace.Cli.Serve;
using UniFace.Cli.Terminal;
using UniFace.Cli.Train;
using UniFace.Training.Native;

namespace UniFace.Cli;

/// <summary>Builds the command tree, runs a command, and turns exceptions into one line and an exit code.</summary>
internal static class CommandHost
{
    /// <summary>The name of the program.</summary>
    public const string Name = "uniface";

    public static async Task<int> RunAsync(string[] args)
    {
        Output.Guard();
        TorchRuntime.Configure();
        if (Console.IsOutputRedirected)
        {
            // In a pipe, tables are as wide as their content: no cell is wrapped or cut.
            AnsiConsole.Profile.Width = 10_000;
        }

        RootCommand root = Root();
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
        try
        {
            // A value may begin with '@': no response files.
            ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (ParseErrors.Describe(parsed) is string errors)
            {
                return Fail(errors);
            }

            ShortenDescriptions(parsed.CommandResult.Command);
            InvocationConfiguration configuration = new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null };
            return await parsed.InvokeAsync(configuration, stop.Token);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("stopped");
            return stopped;
        }
        catch (Exception e) when (Cause(e) is IOException or UnauthorizedAccessException or UniFaceException)
        {
            return Fail(Cause(e).Message);
        }
        catch (Exception e) when (TorchRuntime.IsLoadFailure(e))
        {
            return Fail(TorchRuntime.Explain(e));
        }
    }

    /// <summary>The first exception of parallel work, or the exception itself.</summary>
    private static Exception Cause(Exception e) =>
        e is AggregateException several && several.Flatten().InnerExceptions is [Exception first, ..] ? first : e;

    /// <summary>Leaves one sentence per subcommand in the list that the help of a command shows.</summary>
    private static void ShortenDescriptions(Command command)
    {
        foreach (Command child in command.Subcommands)
        {
            child.Description = child.Description?.Split('\n')[0].Split(". ")[0].TrimEnd('.') + ".";
        }
    }

    /// <summary>The command tree.</summary>
    internal static RootCommand Root()
    {
        RootCommand root = new("Train face recognition on your own photos, measure it, and run it.")
        {
            CommonOptions.Json,

            // In the order of a typical workflow.
            DemoCommand.Create(),
            AlignCommand.Create(),
            QualityCommand.Create(),
            DataCommand.Create(),
            TrainCommand.Create(),
            EvalCommand.Create(),
            ExportCommand.Create(),
            LossCommand.Create(),
            EmbedCommand.Create(),
            VerifyCommand.Create(),
            GalleryCommand.Create(),
            ClusterCommand.Create(),
            CalibrateCommand.Create(),
            ModelsCommand.Create(),
            ServeCommand.Create(),
            BenchCommand.Create(),
            DoctorCommand.Create(),
            CompletionCommand.Create(),
        };

        // System.CommandLine names the root after the executable; [suggest] needs the alias.
        root.HelpName = Name;
        root.Aliases.Add(Name);
        return root;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine("error: " + message.ReplaceLineEndings(" "));
        return ExitCode.BadInput;
    }
}
