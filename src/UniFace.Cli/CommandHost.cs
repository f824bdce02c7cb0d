using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using UniFace.Cli.Commands;
using UniFace.Training;

namespace UniFace.Cli;

/// <summary>Builds the command tree and turns what a command throws into one line and an exit code.</summary>
internal static class CommandHost
{
    public static async Task<int> RunAsync(string[] args)
    {
        Output.Guard();

        // A plain command, not a RootCommand: that one is named after the file it runs from.
        Command root = new("uniface", "UniFace: train face recognition on your own photos, measure it honestly, run it.")
        {
            new HelpOption(),
            new VersionOption(),
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
        };
        using CancellationTokenSource stop = new();
        int stopped = ExitCode.Interrupted;
        void Stop(PosixSignalContext context)
        {
            // The first Ctrl-C or SIGTERM lets the command save and leave; the second ends the process.
            context.Cancel = !stop.IsCancellationRequested;
            stopped = context.Signal == PosixSignal.SIGTERM ? ExitCode.Terminated : ExitCode.Interrupted;
            stop.Cancel();
        }

        using PosixSignalRegistration interrupts = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using PosixSignalRegistration terminates = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            ParseResult parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
            if (parsed.Errors.Count > 0)
            {
                return Fail(parsed.Errors[0].Message + $" See '{PathOf(parsed.CommandResult)} --help'.");
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

    private static string PathOf(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : command.Command.Name;

    private static int Fail(string message)
    {
        Console.Error.WriteLine("error: " + message.ReplaceLineEndings(" "));
        return ExitCode.BadInput;
    }
}
