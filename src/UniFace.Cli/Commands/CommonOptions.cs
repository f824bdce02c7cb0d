using System.CommandLine;

namespace UniFace.Cli.Commands;

/// <summary>Options that every command has.</summary>
internal static class CommonOptions
{
    /// <summary>--json: one JSON document on standard output, progress on standard error.</summary>
    public static Option<bool> Json { get; } = new("--json") { Description = "Print the result as JSON on standard output; progress goes to standard error.", Recursive = true };
}
