using System.CommandLine;

namespace UniFace.Cli.Terminal;

/// <summary>Options that every command has.</summary>
internal static class CommonOptions
{
    /// <summary>--json: one JSON document on standard output, progress on standard error.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "Print the result as JSON on standard output; progress goes to standard error.", Recursive = true };

    /// <summary>--person-level N, where photos are read by person.</summary>
    public static Option<int?> PersonLevel() => new("--person-level")
    {
        Description = "Which folder of a photo's path is the person: 1 for the top folders, 2 for those in them (team/Ann/2020/1.jpg). " +
            "Without it, the photos must lie directly in the people's folders.",
        HelpName = "N",
    };
}
