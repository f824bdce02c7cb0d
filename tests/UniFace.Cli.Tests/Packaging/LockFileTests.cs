using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Packaging;

/// <summary>A build uses the tested packages, by version and hash, whatever the registry serves.</summary>
public class LockFileTests
{
    [Fact]
    public void Every_project_has_a_lock_file_and_central_package_versions()
    {
        string[] projects = [.. new[] { "src", "tests", "bench", "samples" }.SelectMany(folder => Directory.GetFiles(
            Path.Combine(Checkout.Root, folder), "*.csproj", SearchOption.AllDirectories))];
        Assert.NotEmpty(projects);

        // A project for the runtime of the machine that builds it has other packages on each.
        foreach (string project in projects.Where(p => !File.ReadAllText(p).Contains("<RuntimeIdentifier>", StringComparison.Ordinal)))
        {
            string locked = Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json");
            Assert.True(File.Exists(locked), $"{project} has no packages.lock.json; see CONTRIBUTING.md");
            string text = File.ReadAllText(locked);
            Assert.DoesNotContain("://", text, StringComparison.Ordinal);

            // "CentralTransitive": pinned in Directory.Packages.props, but no project references it.
            string[] lines = text.Split('\n');
            IEnumerable<string> loose = lines.Where((_, i) => i + 1 < lines.Length && lines[i + 1].Contains(
                "\"Transitive\"", StringComparison.Ordinal)).Select(l => l.Trim());
            Assert.True(
                !project.Contains("/src/", StringComparison.Ordinal) || !loose.Any(),
                $"{locked}: not in Directory.Packages.props: {string.Join(' ', loose)}");
        }
    }
}
