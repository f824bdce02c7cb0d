using System.Text.RegularExpressions;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Architecture;

/// <summary>The code keeps the structure of docs/design.md: dependencies point one way, and files, folders and lines stay small.</summary>
public sealed partial class ArchitectureTests
{
    private const int LongestFile = 400;
    private const int LargestFolder = 15;
    private const int LongestLine = 160;

    /// <summary>Each project and the projects that it may use, directly or through others.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["UniFace"] = [],
        ["UniFace.Models.FaceDetection"] = [],
        ["UniFace.Models.FaceLandmarks"] = [],
        ["UniFace.Vision"] = ["UniFace", "UniFace.Models.FaceDetection", "UniFace.Models.FaceLandmarks"],
        ["UniFace.Gallery"] = ["UniFace"],
        ["UniFace.Gallery.Postgres"] = ["UniFace", "UniFace.Gallery"],
        ["UniFace.Gallery.VectorData"] = ["UniFace", "UniFace.Gallery"],
        ["UniFace.Synthetic"] = ["UniFace", "UniFace.Vision"],
        ["UniFace.Training"] = ["UniFace", "UniFace.Vision"],
        ["UniFace.AspNetCore"] = ["UniFace", "UniFace.Vision", "UniFace.Gallery", "UniFace.Gallery.Postgres"],
        ["UniFace.Studio"] =
            ["UniFace", "UniFace.Vision", "UniFace.Gallery", "UniFace.Gallery.Postgres", "UniFace.AspNetCore", "UniFace.Training"],
        ["UniFace.CommandLine"] = ["UniFace", "UniFace.Vision", "UniFace.Gallery", "UniFace.Gallery.Postgres", "UniFace.AspNetCore"],
        ["UniFace.Client"] = [],
    };

    /// <summary>The extensions of source files; scripts without one are in the root.</summary>
    private static readonly string[] Extensions = [".cs", ".js", ".css", ".html", ".sh", ".py", ".csproj", ".props", ".targets", ""];

    private static readonly string Root = Checkout.Root;

    public static TheoryData<string> Projects =>
        [.. Directory.GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories).Select(file => Path.GetFileNameWithoutExtension(file)!)];

    /// <summary>Without the service's host, which is one file, and the packages of models, which have no code.</summary>
    public static TheoryData<string> Libraries => [.. Projects.Select(row => row.Data).Where(
        name => !name.EndsWith(".Host", StringComparison.Ordinal) && !name.StartsWith("UniFace.Models.", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Projects_depend_on_each_other_in_one_direction(string project)
    {
        string file = Assert.Single(Directory.GetFiles(Path.Combine(Root, "src"), project + ".csproj", SearchOption.AllDirectories));
        string[] used = [.. ProjectReference().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)];
        if (Allowed.TryGetValue(project, out string[]? allowed))
        {
            Assert.Empty(used.Except(allowed));
        }
        else
        {
            // No project references the tool and the hosts.
            Assert.DoesNotContain(Directory.GetFiles(Path.Combine(Root, "src"), "*.csproj", SearchOption.AllDirectories),
                other => ProjectReference().Matches(File.ReadAllText(other)).Any(match => match.Groups[1].Value == project));
        }
    }

    [Fact]
    public void The_service_does_not_load_training_or_libtorch()
    {
        foreach (string project in new[] { "UniFace", "UniFace.Vision", "UniFace.Gallery", "UniFace.AspNetCore", "UniFace.CommandLine" })
        {
            using Mono.Cecil.ModuleDefinition module = Mono.Cecil.ModuleDefinition.ReadModule(Assembly(project));
            Assert.DoesNotContain(module.AssemblyReferences, reference => reference.Name is "UniFace.Training" or "TorchSharp");
        }
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Folders_of_a_project_have_no_dependency_cycles(string project)
    {
        Dictionary<(string From, string To), string> edges = TypeGraph.Read(Assembly(project));

        // A folder includes its subfolders; sibling folders must not depend on each other in a cycle.
        Dictionary<(string From, string To), string> siblings = [];
        foreach (((string from, string to), string why) in edges)
        {
            string[] a = from.Split('.'), b = to.Split('.');
            int shared = a.Zip(b).TakeWhile(pair => pair.First == pair.Second).Count();
            if (shared < a.Length && shared < b.Length)
            {
                siblings.TryAdd((string.Join('.', a[..(shared + 1)]), string.Join('.', b[..(shared + 1)])), why);
            }
        }

        Assert.Empty(Cycle(siblings));
    }

    [Fact]
    public void Files_folders_and_lines_stay_within_the_limits()
    {
        string[] files = [.. new[] { "src", "tests", "bench", "samples", "setup", "build" }.SelectMany(
            folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(Root))
            .Where(file => Extensions.Contains(Path.GetExtension(file)))
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(file => file != "LICENSE" && !file.Split('/').Any(part => part is "bin" or "obj" or "Generated"))];
        Assert.True(files.Length > 400, "the sources were not found");
        string[] folders = [.. files
            .Where(file => file.StartsWith("src/", StringComparison.Ordinal) && file.EndsWith(".cs", StringComparison.Ordinal))
            .CountBy(file => Path.GetDirectoryName(file)!)
            .Where(folder => folder.Value > LargestFolder).Select(folder => $"{folder.Key}: {folder.Value} files")];
        Assert.Empty(folders);
        string[] faults = [.. files.SelectMany(Faults)];
        Assert.Empty(faults);
    }

    private static IEnumerable<string> Faults(string file)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Root, file));
        return
        [
            .. lines.Length > LongestFile ? new[] { $"{file} has {lines.Length} lines" } : [],
            .. lines.Index().Where(line => line.Item.Length > LongestLine).Select(line => $"{file}({line.Index + 1}) has {line.Item.Length} characters"),
        ];
    }

    private static string Assembly(string project) => Path.Combine(AppContext.BaseDirectory, project + ".dll");

    /// <summary>The dependencies that form a cycle; empty if there is none.</summary>
    private static List<string> Cycle(Dictionary<(string From, string To), string> edges)
    {
        HashSet<string> left = [.. edges.Keys.SelectMany(edge => new[] { edge.From, edge.To })];
        while (left.FirstOrDefault(node => !edges.Keys.Any(edge => edge.From == node && left.Contains(edge.To))) is string sink)
        {
            left.Remove(sink);
        }

        return
        [
            .. edges.Where(edge => left.Contains(edge.Key.From) && left.Contains(edge.Key.To))
                .Select(edge => $"{edge.Key.From} -> {edge.Key.To}: {edge.Value}"),
        ];
    }

    [GeneratedRegex(@"<ProjectReference Include=""[^""]*?([\w.]+)\.csproj""")]
    private static partial Regex ProjectReference();
}
