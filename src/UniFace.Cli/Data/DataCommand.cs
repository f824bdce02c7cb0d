namespace UniFace.Cli.Data;

/// <summary>`uniface data`: commands for data sets.</summary>
internal static class DataCommand
{
    public static Command Create() => new("data", "Inspect data sets, or generate a synthetic one.")
    {
        DataInfoCommand.Create(),
        DataMakeCommand.Create(),
    };
}
