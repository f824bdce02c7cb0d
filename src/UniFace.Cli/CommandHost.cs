using System.CommandLine;
using System.Runtime.InteropServices;
using Spectre.Console;
using UniFace.Cli.Commands;
using UniFace.Training.Native;

namespace UniFace.Cli;

/// <summary>Builds the command tree and turns what a command throws into one line and an exit code.</summary>
internal static class CommandHost
{
    /// <summary>What users call the program.</summary>
    public const string Name = "uniface";

    public static async Task<int> RunAsync(string[] args)
    {
        Output.Guard();
        TorchRuntime.Configure();
        if (Console.IsOutputRedirected)
        {
            // Into a pipe a table is as wide as what it says: no cell is wrapped or cut.
            AnsiConsole.Profile.Width = 10_000;
        }

        RootCommand root = Root();
        using CancellationTokenSource stop = new();
        int stopped = ExitCode.Interrupted;
        void Stop(PosixSignalContext context)
        {
            // The first Ctrl-C, SIGTERM or SIGHUP lets the command save and leave; the second ends the process.
            context.Cancel = !stop.IsCancellationRequested;
            stopped = context.Signal == PosixSignal.SIGINT ? ExitCode.Interrupted : ExitCode.Terminated;
            stop.Cancel();
        }

        using PosixSignalRegistration interrupts = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminates = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using PosixSignalRegistration hangsUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        try
        {
            // A value may begin with '@': it is a name, not a file of further arguments.
            ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (ParseErrors.Describe(parsed) is string errors)
            {
                return Fail(errors);
            }

            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop.Token).ConfigureAwait(false);
        }
        catch (UniFaceException e)
        {
            return Fail(e.Message);
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

    /// <summary>What went wrong in parallel work, or the exception itself.</summary>
    private static Exception Cause(Exception e) => e is AggregateException several && several.Flatten().InnerExceptions is [Exception first, ..] ? first : e;

    /// <summary>The command tree.</summary>
    internal static RootCommand Root()
    {
        RootCommand root = new("UniFace: train face recognition on your own photos, measure it honestly, run it.")
        {
            CommonOptions.Json,

            // One line a command, in the order of the main job.
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

        // The library names the root after the file it runs from; as an alias its own name is known in the line that [suggest] gets.
        root.HelpName = Name;
        root.Aliases.Add(Name);
        NumberParsing.ApplyTo(root);
        return root;
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine("error: " + message.ReplaceLineEndings(" "));
        return ExitCode.BadInput;
    }
}
