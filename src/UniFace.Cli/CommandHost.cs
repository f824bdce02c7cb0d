using System.CommandLine;
using UniFace.Cli.Commands;
using UniFace.Training;

namespace UniFace.Cli;

/// <summary>Builds the command tree and turns what a command throws into one line and an exit code.</summary>
internal static class CommandHost
{
    public static async Task<int> RunAsync(string[] args)
    {
        RootCommand root = new("UniFace: train face recognition on your own photos, measure it honestly, run it.")
        {
            // One line a command, in the order of the main job.
            DataCommand.Create(),
        };
        root.Add(CommonOptions.Json);
        root.Add(DoctorCommand.Create());
        using CancellationTokenSource stop = new();
        Console.CancelKeyPress += (_, e) =>
        {
            // The first Ctrl-C lets the command save and leave; the second ends the process.
            e.Cancel = !stop.IsCancellationRequested;
            stop.Cancel();
        };
        try
        {
            ParseResult parsed = root.Parse(args);
            if (parsed.Errors.Count > 0)
            {
                return Fail(parsed.Errors[0].Message + $" See '{parsed.CommandResult.Command.Name} --help'.");
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
            return ExitCode.Interrupted;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Fail(e.Message);
        }
        catch (Exception e) when (TorchRuntime.IsLoadFailure(e))
        {
            return Fail(TorchRuntime.Explain(e));
        }
    }

    private static int Fail(string message)
    {
        Console.Error.WriteLine("error: " + message.ReplaceLineEndings(" "));
        return ExitCode.BadInput;
    }
}
