using System.Text.Json;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Gallery;

/// <summary>The gallery commands work the same on PostgreSQL as on a file.</summary>
public sealed class PostgresGalleryCommandTests(PostgresServer server) : IClassFixture<PostgresServer>, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Gallery_commands_accept_a_database_instead_of_a_file()
    {
        string gallery = server.Url("people"), model = Path.Combine(folder, "model.onnx"), second = Path.Combine(folder, "second.onnx");
        TinyOnnx.WriteEmbedder(model, 112, 112, 16, seed: 1);
        TinyOnnx.WriteEmbedder(second, 112, 112, 16, seed: 2);
        foreach ((string person, int seed) in new[] { ("Ann", 1), ("Ann", 2), ("Bob", 3) })
        {
            RgbImage image = new(112, 112);
            new Random(seed).NextBytes(image.Pixels);
            Directory.CreateDirectory(Path.Combine(folder, "photos", person));
            File.WriteAllBytes(Path.Combine(folder, "photos", person, $"{seed}.png"), ImageEncoder.Png(image));
        }

        Assert.Contains("has no galleries", CliProcess.Run("gallery", "list", gallery).Expect(2).Error, StringComparison.Ordinal);
        JsonElement created = CliProcess.Run("gallery", "create", gallery, model, "--crops", "--json").Expect(0).Json();
        Assert.DoesNotContain("postgres@", created.GetProperty("gallery").GetString(), StringComparison.Ordinal);
        Assert.Contains("already exists", CliProcess.Run("gallery", "create", gallery, model).Expect(2).Error, StringComparison.Ordinal);
        Assert.Equal(3, Run(0, "enroll", Path.Combine(folder, "photos"), "--aligned", "--any-quality").GetProperty("enrolled").GetInt32());
        Assert.Equal(3, Run(0, "enroll", Path.Combine(folder, "photos"), "--aligned", "--any-quality").GetProperty("already").GetInt32());
        Assert.Equal(["Ann", "Bob"], Run(0, "list").GetProperty("people").EnumerateArray().Select(p => p.GetProperty("person").GetString()));
        string[] identify = [Path.Combine(folder, "photos/Ann/2.png"), "--aligned", "--threshold", "0.999"];
        Assert.Equal("Ann", Run(0, "identify", identify).GetProperty("person").GetString());
        CliProcess.Run("gallery", "reembed", gallery, second).Expect(0);
        Assert.Equal("Ann", Run(0, "identify", identify).GetProperty("person").GetString());
        Assert.Equal("Ann", Run(0, "remove", "Ann").GetProperty("removed")[0].GetString());
        Assert.Equal("unknown", Run(1, "identify", identify).GetProperty("decision").GetString());
        Assert.True(Run(0, "verify-integrity").GetProperty("whole").GetBoolean());
        Assert.Contains("no index", CliProcess.Run("gallery", "rebuild", gallery).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("requires --hnsw", CliProcess.Run("gallery", "rebuild", gallery, "--hnsw-m", "8").Expect(2).Error, StringComparison.Ordinal);
        Assert.Equal(1, Run(0, "rebuild", "--hnsw", "--hnsw-m", "8").GetProperty("rows").GetInt32());
        Assert.Equal("unknown", Run(1, "identify", identify).GetProperty("decision").GetString());
        string key = Path.Combine(folder, "key");
        File.WriteAllText(key, new string('a', 64));
        Assert.Contains(
            "cannot be encrypted", CliProcess.Run("gallery", "create", server.Url("other"), model, "--key-file", key).Expect(2).Error,
            StringComparison.Ordinal);
        Assert.Contains("cannot be encrypted", CliProcess.Run("gallery", "list", gallery, "--key-file", key).Expect(2).Error, StringComparison.Ordinal);

        JsonElement Run(int exit, string command, params string[] more) => CliProcess.Run(["gallery", command, gallery, .. more, "--json"]).Expect(exit).Json();
    }
}
