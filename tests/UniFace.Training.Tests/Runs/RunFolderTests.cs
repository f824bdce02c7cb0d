using UniFace.Training.Backbones;
using UniFace.Training.Losses;
using UniFace.Training.Runs;

namespace UniFace.Training.Tests.Runs;

/// <summary>A folder that is not an intact run is refused with the path of the file at fault.</summary>
public sealed class RunFolderTests : IDisposable
{
    private static readonly TrainOptions Options = new()
    {
        Data = "toy",
        Loss = new UnifiedCrossEntropy(),
        Backbone = new BackboneSpec("mobilefacenet", 0.25, 8),
        Batch = 10,
    };

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-run-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Opening_a_folder_without_run_json_fails()
    {
        UniFaceException refused = Assert.Throws<UniFaceException>(() => RunFolder.LoadBackbone(folder));
        Assert.Contains(folder, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Opening_a_run_json_without_its_fields_fails()
    {
        File.WriteAllText(Path.Combine(folder, RunFolder.InfoFile), "{\"schemaVersion\":1}");
        UniFaceException refused = Assert.Throws<UniFaceException>(() => RunFolder.ReadInfo(folder));
        Assert.Contains(RunFolder.InfoFile, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"schemaVersion\": 2", "\"schemaVersion\": \"two\"")]
    [InlineData("\"changes\": []", "\"changes\": null")]
    [InlineData("\"heldOut\": []", "\"heldOut\": null")]
    [InlineData("\"steps\": []", "\"steps\": null")]
    [InlineData("\"augment\": {", "\"augment\": null, \"other\": {")]
    [InlineData("\"data\": \"toy\"", "\"data\": null")]
    [InlineData("\"optimizer\": \"sgd\"", "\"optimizer\": 7")]
    public void Opening_a_damaged_run_json_fails(string written, string edited)
    {
        using ToyDataset data = new(4, 3);
        Trainer.Create(folder, Options, data, decoder: new ToyDecoder()).Dispose();
        string path = Path.Combine(folder, RunFolder.InfoFile), text = File.ReadAllText(path);
        Assert.Contains(written, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(written, edited, StringComparison.Ordinal));
        UniFaceException refused = Assert.Throws<UniFaceException>(() => RunFolder.ReadInfo(folder));
        Assert.StartsWith(path + " is not a run description", refused.Message, StringComparison.Ordinal);
    }
}
