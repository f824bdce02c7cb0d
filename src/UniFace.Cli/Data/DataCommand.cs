using System.CommandLine;

namespace UniFace.Cli.Data;

/// <summary>uniface data: looks at data sets and makes them. One subcommand a file.</summary>
internal static class DataCommand
{
    public static Command Create() => new("data", "Data sets: look at one, make one.")
    {
        DataInfoCommand.Create(),
        DataMakeCommand.Create(),
    };
}
