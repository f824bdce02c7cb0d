using System.Text.RegularExpressions;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Architecture;

/// <summary>The public API stays small, is written down, and speaks of properties, never of the command line.</summary>
public sealed partial class PublicApiTests
{
    private const int MostTypes = 120;

    private static readonly string[] Programs = ["UniFace.Cli", "UniFace.CommandLine", "UniFace.AspNetCore.Host", "UniFace.Client"];

    private static readonly string Source = Path.Combine(Checkout.Root, "src");

    [Fact]
    public void All_libraries_together_have_at_most_120_public_types()
    {
        string[] types = [.. Libraries().SelectMany(library => Directory.GetFiles(library, "PublicAPI.*.txt")).SelectMany(File.ReadAllLines)
            .Where(line => line.Length > 0 && line[0] != '#' && !line.Contains("->", StringComparison.Ordinal))];
        Assert.InRange(types.Length, 50, MostTypes);
    }

    [Fact]
    public void Every_library_writes_its_public_API_down()
    {
        Assert.All(Libraries(), library =>
        {
            Assert.True(File.Exists(Path.Combine(library, "PublicAPI.Shipped.txt")), library);
            Assert.True(File.Exists(Path.Combine(library, "PublicAPI.Unshipped.txt")), library);
        });
    }

    [Fact]
    public void Libraries_never_mention_command_line_options()
    {
        string[] found = [.. Libraries().SelectMany(library => Directory.EnumerateFiles(library, "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Contains("obj"))
            .SelectMany(file => File.ReadAllLines(file).Select((line, i) => (Place: $"{Path.GetRelativePath(Source, file)}:{i + 1}", Line: line)))
            .Where(at => !at.Line.Contains("ProcessStartInfo", StringComparison.Ordinal)) // the options of another program
            .Where(at => !at.Line.TrimStart().StartsWith("//", StringComparison.Ordinal) && OptionInLiteral().IsMatch(at.Line))
            .Select(at => $"{at.Place}: {at.Line.Trim()}")];
        Assert.Empty(found);
    }

    private static IEnumerable<string> Libraries() => Directory.GetDirectories(Source)
        .Where(folder => Directory.EnumerateFiles(folder, "*.csproj").Any() && !Programs.Contains(Path.GetFileName(folder)))
        .Where(folder => !Path.GetFileName(folder).StartsWith("UniFace.Models.", StringComparison.Ordinal)); // Those have no code.

    [GeneratedRegex("\"([^\"]*[ '(`])?--[a-z][a-z-]+[^\"]*\"")]
    private static partial Regex OptionInLiteral();
}
