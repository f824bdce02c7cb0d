using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using UniFace.Packages;
using UniFace.TestSupport;

namespace UniFace.Cli.Tests.Compatibility;

/// <summary>
/// This version reads the files that version 0.1.0 wrote, with the same results (docs/compatibility.md). v0.1/ was written by 'uniface demo --quick',
/// 'train', 'gallery create' and 'gallery enroll' of 0.1.0 and is never written again. A file of a later format is refused in one line that says what to do.
/// </summary>
public sealed class FilesOfVersion01Tests : IDisposable
{
    private static readonly string Files = Path.Combine(Checkout.Root, "tests", "UniFace.Cli.Tests", "Compatibility", "v0.1");

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public FilesOfVersion01Tests() => Copy(Files, folder);

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData("probe/0080.jpg", 0, true, 0.7157)]
    [InlineData("probe/0082.jpg", 1, false, -0.0690)]
    public void A_package_and_its_calibration_decide_as_in_0_1(string probe, int exitCode, bool same, double score)
    {
        JsonElement answer = Run(exitCode, "verify", "package", "enrol/person-0080/000.jpg", probe, "--aligned", "--json").Json();
        Assert.Equal(same, answer.GetProperty("same").GetBoolean());
        Assert.Equal(score, answer.GetProperty("score").GetDouble(), 0.001);
        Assert.Equal(0.69295, answer.GetProperty("threshold").GetDouble(), 0.00001);
        Assert.Equal("ac2bf1be4bf060a83e182ccc7226c12b", answer.GetProperty("contractId").GetString());
    }

    [Fact]
    public void A_package_without_a_model_card_shows_one()
    {
        string card = Run(0, "models", "show", "package").Out;
        Assert.Contains("800 images of 80 people", card, StringComparison.Ordinal);
        Assert.Contains("6e051c9351093221055fe3c5a593986f074732e16b93d672c62e714777f679dc", card, StringComparison.Ordinal);
        Assert.Equal(3, Run(0, "models", "show", "package", "--json").Json().GetProperty("limits").GetArrayLength());
    }

    [Fact]
    public void A_gallery_identifies_its_people_and_takes_new_ones()
    {
        Assert.Equal("person-0080", Identify(0, "probe/0080.jpg").GetProperty("person").GetString());
        Assert.Equal(JsonValueKind.Null, Identify(1, "probe/0082.jpg").GetProperty("person").ValueKind);
        Run(0, "gallery", "verify-integrity", "people.gallery");
        Run(0, "gallery", "enroll", "people.gallery", "probe/0082.jpg", "--person", "Ann", "--aligned", "--any-quality", "--package", "package");
        Assert.Equal("Ann", Identify(0, "probe/0082.jpg").GetProperty("person").GetString());
    }

    [Fact]
    public void A_run_is_resumed_and_exported()
    {
        Run(0, "train", "faces", "--resume", "run", "--epochs", "2");
        Run(0, "export", "run", "--out", "exported");
        Assert.Contains("12 images of 4 people", File.ReadAllText(Path.Combine(folder, "exported", ModelCard.FileName)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("package/model.json", "verify", "package", "probe/0080.jpg", "probe/0082.jpg", "--aligned")]
    [InlineData("package/calibration.json", "verify", "package", "probe/0080.jpg", "probe/0082.jpg", "--aligned")]
    [InlineData("run/run.json", "export", "run", "--out", "exported")]
    public void A_later_format_is_refused_and_the_error_says_what_to_do(string file, params string[] command)
    {
        JsonNode json = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, file)))!;
        json["schemaVersion"] = 99;
        File.WriteAllText(Path.Combine(folder, file), json.ToJsonString());
        RefusedWithVersion(command, file);
    }

    [Fact]
    public void A_gallery_of_a_later_format_is_refused()
    {
        using (SqliteConnection gallery = new($"Data Source={Path.Combine(folder, "people.gallery")}"))
        {
            gallery.Open();
            using SqliteCommand change = gallery.CreateCommand();
            change.CommandText = "UPDATE meta SET value = 99 WHERE key = 'format'";
            Assert.Equal(1, change.ExecuteNonQuery());
        }

        SqliteConnection.ClearAllPools();
        RefusedWithVersion(["gallery", "list", "people.gallery"], "people.gallery");
    }

    private void RefusedWithVersion(string[] command, string file)
    {
        string error = Assert.Single(Run(2, command).Error.Split('\n'), line => line.StartsWith("error: ", StringComparison.Ordinal));
        Assert.Contains(file.Split('/')[^1], error, StringComparison.Ordinal);
        Assert.Contains("99", error, StringComparison.Ordinal);
        Assert.Matches("get a newer|use the UniFace|use that version", error);
    }

    private JsonElement Identify(int exitCode, string probe) =>
        Run(exitCode, "gallery", "identify", "people.gallery", probe, "--aligned", "--package", "package", "--json").Json();

    private CliResult Run(int exitCode, params string[] command) => CliProcess.RunIn(folder, command).Expect(exitCode);

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(target, UnixFileMode.UserRead | UnixFileMode.UserWrite); // as 0.1 wrote a gallery; git keeps no such mode
            }
        }
    }
}
