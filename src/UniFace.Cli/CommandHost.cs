using UniFace.Benchmarks.Commands;
using UniFace.Cli.Data;
using UniFace.Cli.Demo;
using UniFace.Cli.Eval;
using UniFace.Cli.Gallery;
using UniFace.Cli.Losses;
using UniFace.Cli.Models;
using UniFace.Cli.Photos;
using UniFace.Cli.Setup;
using UniFace.Cli.Train;
using UniFace.CommandLine.Serve;
using UniFace.Studio;
using UniFace.Training.Distributed;
using UniFace.Training.Runtime;

namespace UniFace.Cli;

/// <summary>Builds the command tree and runs it.</summary>
internal static class CommandHost
{
    /// <summary>Runs the tool.</summary>
    public static async Task<int> RunAsync(string[] args)
    {
        TorchRuntime.Configure();
        bool ranks = RankConsole.Applies(args);
        if (ranks)
        {
            RankConsole.Begin();
        }

        int exitCode = await CommandRunner.RunAsync(
            Root(), args, e => TorchRuntime.IsLoadFailure(e) ? TorchRuntime.Explain(e) : null, () => MpiJob.EndsTogether);
        if (ranks)
        {
            RankConsole.End(exitCode);
        }

        return exitCode;
    }

    /// <summary>The command tree, in the order of a typical workflow.</summary>
    internal static RootCommand Root() => CommandRunner.CreateRoot(
        "Train face recognition on your own photos, measure it, and run it.",
        DemoCommand.Create(),
        AlignCommand.Create(),
        QualityCommand.Create(),
        DataCommand.Create(),
        TrainCommand.Create(),
        FineTuneCommand.Create(),
        EvalCommand.Create(),
        ExportCommand.Create(),
        LossCommand.Create(),
        EmbedCommand.Create(),
        VerifyCommand.Create(),
        GalleryCommand.Create(),
        ClusterCommand.Create(),
        CalibrateCommand.Create(),
        ModelsCommand.Create(),
        ServeCommand.Create((services, runs) => services.AddUniFaceStudio(runs)),
        BenchCommand.Create(),
        DoctorCommand.Create(),
        CompletionCommand.Create());
}
