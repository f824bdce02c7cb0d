using System.Text.Json;
using UniFace.IO;

namespace UniFace.Cli.Tests.Data;

/// <summary>The same seed draws the same pixels, and existing files are never overwritten.</summary>
public class DataMakeCommandTests
{
    [Fact]
    public void Drawn_set_has_the_requested_size_and_depends_only_on_the_seed()
    {
        string root = Directory.CreateTempSubdirectory("uniface-make").FullName;
        try
        {
            string first = Path.Combine(root, "a"), second = Path.Combine(root, "b");
            JsonElement json = CliProcess.Run("data", "make", first, "--people", "3", "--images", "2", "--seed", "7", "--json").Expect(0).Json();
            Assert.Equal(6, json.GetProperty("images").GetInt32());
            CliProcess.Run("data", "make", second, "--people", "3", "--images", "2", "--seed", "7").Expect(0);
            Assert.Equal(Hashes(first), Hashes(second));
            Assert.Equal(6, Hashes(first).Select(h => h.Hash).Distinct().Count());
            Assert.Contains("not empty", CliProcess.Run("data", "make", first).Expect(2).Error, StringComparison.Ordinal);
            CliProcess.Run("data", "make", Path.Combine(root, "c"), "--people", "0").Expect(2);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    [Fact]
    public void Folder_that_cannot_be_written_prints_one_line_and_exits_with_2()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs /dev/null");
        foreach (string[] command in new string[][] { ["data", "make", "/dev/null/set"], ["demo", "--out", "/dev/null/demo", "--quick"] })
        {
            CliResult result = CliProcess.Run(command).Expect(2);
            Assert.StartsWith(
                "error: ", Assert.Single(result.Error.TrimEnd().Split('\n'), line => line.Contains("/dev/null", StringComparison.Ordinal)),
                StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        }
    }

    private static (string Name, string Hash)[] Hashes(string folder) =>
        [.. Directory.GetFiles(folder, "*.jpg", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => (
            Path.GetRelativePath(folder, f), Sha256.HashFile(f)))];
}
