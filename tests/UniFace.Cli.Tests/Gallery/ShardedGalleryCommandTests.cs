using System.Text.Json;
using UniFace.Faces;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Gallery;

/// <summary>The gallery commands answer the same when several processes of the tool hold the index.</summary>
public sealed class ShardedGalleryCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Identify_and_enroll_accept_a_number_of_processes_before_the_file()
    {
        string file = Path.Combine(folder, "people.gallery"), gallery = $"shards:2:{file}", model = Path.Combine(folder, "model.onnx");
        TinyOnnx.WriteEmbedder(model, 112, 112, 16, seed: 1);
        foreach ((string person, int seed) in new[] { ("Ann", 1), ("Ann", 2), ("Bob", 3) })
        {
            RgbImage image = new(112, 112);
            new Random(seed).NextBytes(image.Pixels);
            Directory.CreateDirectory(Path.Combine(folder, "photos", person));
            File.WriteAllBytes(Path.Combine(folder, "photos", person, $"{seed}.png"), ImageEncoder.Png(image));
        }

        CliProcess.Run("gallery", "create", file, model).Expect(0);
        CliProcess.Run("gallery", "enroll", gallery, Path.Combine(folder, "photos"), "--aligned", "--any-quality").Expect(0);
        string[] identify = [Path.Combine(folder, "photos/Bob/3.png"), "--aligned", "--threshold", "0.999", "--json"];
        JsonElement one = CliProcess.Run(["gallery", "identify", file, .. identify]).Expect(0).Json();
        JsonElement two = CliProcess.Run(["gallery", "identify", gallery, .. identify]).Expect(0).Json();
        Assert.Equal("Bob", two.GetProperty("person").GetString());
        Assert.Equal(one.GetProperty("candidates").GetRawText(), two.GetProperty("candidates").GetRawText());
        Assert.Contains("expected shards:N:FILE", CliProcess.Run("gallery", "list", "shards:0:" + file).Expect(2).Error, StringComparison.Ordinal);
        string copy = Path.Combine(folder, "copy.gallery");
        Assert.Contains("give the gallery's file alone", CliProcess.Run("gallery", "backup", gallery, copy).Expect(2).Error, StringComparison.Ordinal);
    }
}
