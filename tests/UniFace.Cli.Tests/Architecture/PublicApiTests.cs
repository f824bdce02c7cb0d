using System.Text.RegularExpressions;
using Mono.Cecil;
using Mono.Cecil.Cil;
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

    /// <summary>In the strings of the compiled code, whatever their form, and in the documentation that is packed with it.</summary>
    [Fact]
    public void Libraries_never_mention_command_line_options()
    {
        List<string> found = [];
        foreach (string library in Libraries().Select(folder => Path.GetFileName(folder)!))
        {
            using ModuleDefinition module = ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, library + ".dll"));
            string[] texts = [.. module.GetTypes().SelectMany(Texts)];
            Assert.NotEmpty(texts);
            string documentation = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, library + ".xml"));
            found.AddRange(texts.Append(documentation).SelectMany(text => Option().Matches(text)).Select(match => $"{library}: {match.Value}"));
        }

        Assert.Equal(["UniFace.Vision: --silent"], found); // of npm
    }

    private static IEnumerable<string> Texts(TypeDefinition type) => type.Methods.Where(method => method.HasBody)
        .SelectMany(method => method.Body.Instructions).Where(instruction => instruction.OpCode == OpCodes.Ldstr)
        .Select(instruction => (string)instruction.Operand)
        .Concat(type.Fields.Select(field => field.Constant).OfType<string>());

    private static IEnumerable<string> Libraries() => Directory.GetDirectories(Source)
        .Where(folder => Directory.EnumerateFiles(folder, "*.csproj").Any() && !Programs.Contains(Path.GetFileName(folder)))
        .Where(folder => !Path.GetFileName(folder).StartsWith("UniFace.Models.", StringComparison.Ordinal)); // Those have no code.

    [GeneratedRegex(@"(?<![\w-])--[a-z][a-z-]+")]
    private static partial Regex Option();
}
