using System.CommandLine;

namespace UniFace.Cli.Bench;

/// <summary>uniface bench: speeds on this machine. One subcommand a file.</summary>
internal static class BenchCommand
{
    public static Command Create() => new("bench", "Measure speeds on this machine.")
    {
        BenchHeadCommand.Create(),
        BenchStepCommand.Create(),
        BenchDataCommand.Create(),
        BenchSearchCommand.Create(),
        BenchIdentifyCommand.Create(),
        BenchEmbedCommand.Create(),
        BenchEnrollCommand.Create(),
    };
}
