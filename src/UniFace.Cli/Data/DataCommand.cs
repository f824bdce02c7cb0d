namespace UniFace.Cli.Data;

/// <summary>`uniface data`: commands for data sets.</summary>
internal static class DataCommand
{
    public static Command Create() => new("data", "Inspect or index data sets, or generate a synthetic one.")
    {
        DataIndexCommand.Create(),
        DataInfoCommand.Create(),
        DataMakeCommand.Create(),
    };
}
