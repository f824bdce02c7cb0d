using System.Text.Json;
using UniFace.Faces;
using UniFace.IO;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Imaging;

namespace UniFace.Cli.Tests.Models;

/// <summary>Every command accepts an installed model by name, and a model that does not open is not installed.</summary>
public sealed class ModelsCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Own_package_opens_by_name_and_the_first_installed_is_the_default()
    {
        string package = Package("package", 8), photo = Path.Combine(folder, "a.png");
        RgbImage image = new(112, 112);
        new Random(1).NextBytes(image.Pixels);
        File.WriteAllBytes(photo, ImageEncoder.Png(image));
        Assert.Contains(
            "no default is installed", Run("verify", photo, photo, "--aligned", "--threshold", "0.5").Expect(2).Error, StringComparison.Ordinal);

        JsonElement added = Run("models", "add", "ours", package, "--json").Expect(0).Json();
        Assert.True(added.GetProperty("default").GetBoolean());
        Assert.Equal(Path.Combine(folder, "home", "models", "ours"), added.GetProperty("installed").GetString());
        Run("models", "add", "theirs", Package("second", 4)).Expect(0);
        Directory.Delete(package, recursive: true);

        JsonElement verified = Run("verify", photo, photo, "--aligned", "--threshold", "0.5", "--json").Expect(0).Json();
        string contract = verified.GetProperty("contractId").GetString()!;
        Assert.Equal(
            contract,
            Run("verify", "ours", photo, photo, "--aligned", "--threshold", "0.5", "--json").Expect(0).Json().GetProperty("contractId").GetString());
        Run("models", "default", "theirs").Expect(0);
        Assert.NotEqual(
            contract, Run("verify", photo, photo, "--aligned", "--threshold", "0.5", "--json").Expect(0).Json().GetProperty("contractId").GetString());
        JsonElement list = Run("models", "list", "--json").Expect(0).Json();
        Assert.Equal("theirs", list.GetProperty("default").GetString());
        Assert.Equal(["ours", "theirs"], list.GetProperty("own").EnumerateArray().Select(o => o.GetProperty("name").GetString()));
    }

    [Fact]
    public void Model_list_states_licence_and_training_data_of_every_model()
    {
        JsonElement.ArrayEnumerator models = Run("models", "list", "--json").Expect(0).Json().GetProperty("models").EnumerateArray();
        Assert.Equal(
            ["dlib-resnet", "faceplugin-mobilefacenet", "blazeface", "mediapipe-face-detection", "mediapipe-face-mesh"],
            models.Select(model => model.GetProperty("name").GetString()));
        Assert.All(models, model =>
        {
            Assert.NotEmpty(model.GetProperty("licence").GetString()!);
            Assert.NotEmpty(model.GetProperty("trainingData").GetString()!);
            Assert.Equal(64, model.GetProperty("sha256").GetString()!.Length);
            Assert.Equal(JsonValueKind.Null, model.GetProperty("installed").ValueKind);
        });
        Assert.Contains("not installed", Run("quality", folder).Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Poorly_documented_license_must_be_accepted()
    {
        Assert.Contains("accept the licence", Run("models", "pull", "faceplugin-mobilefacenet").Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains(
            "expected dlib-resnet or faceplugin-mobilefacenet or blazeface", Run("models", "pull", "arcface").Expect(2).Error, StringComparison.Ordinal);
        string package = Package("package", 16);
        Assert.Contains("is not a valid model name", Run("models", "add", "../evil", package).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("of the catalog", Run("models", "add", "blazeface", package).Expect(2).Error, StringComparison.Ordinal);
        string text = Path.Combine(folder, "text.onnx");
        File.WriteAllText(text, "no network");
        Assert.Contains("text.onnx", Run("models", "add", "bare", text).Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("no such installed model", Run("models", "default", "ours").Expect(2).Error, StringComparison.Ordinal);
        Assert.Contains("no such model package", Run("embed", "ours", package, "--out", "e.npy").Expect(2).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Package_with_external_weights_is_not_installed()
    {
        string package = Package("package", 8), onnx = Path.Combine(package, "model.onnx");
        File.AppendAllBytes(onnx, [0x3a, 0x04, 0x2a, 0x02, 0x70, 0x01]); // graph { initializer { data_location: EXTERNAL } }
        ModelManifest manifest = new() { EmbeddingSize = 8, OnnxSha256 = Sha256.HashFile(onnx) };
        File.WriteAllText(Path.Combine(package, ModelManifest.FileName), JsonSerializer.Serialize(manifest, ModelManifest.Json));
        string error = Run("models", "add", "ours", package).Expect(2).Error.Trim();
        Assert.Contains("external data", error, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error);
        Assert.Contains("external data", Run("embed", onnx, folder, "--out", "e.npy").Expect(2).Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "home", "models", "ours")));
    }

    [Fact]
    public async Task Concurrent_processes_install_all_their_packages()
    {
        string package = Package("package", 8);
        Task<CliResult>[] adding = [.. new[] { "a", "b", "same", "same" }.Select(name => Task.Run(() => Run("models", "add", name, package)))];
        Assert.All(await Task.WhenAll(adding), result => result.Expect(0));
        JsonElement list = Run("models", "list", "--json").Expect(0).Json();
        Assert.Equal(["a", "b", "same"], list.GetProperty("own").EnumerateArray().Select(o => o.GetProperty("name").GetString()));
        Assert.Contains(list.GetProperty("default").GetString(), (string[])["a", "b", "same"]);
        Assert.Equal(3, Directory.GetDirectories(Path.Combine(folder, "home", "models")).Length);
    }

    private CliResult Run(params string[] args) => CliProcess.RunWith(new Dictionary<string, string> { ["UNIFACE_HOME"] = Path.Combine(folder, "home") }, args);

    private string Package(string name, int size)
    {
        string package = Path.Combine(folder, name);
        Directory.CreateDirectory(package);
        string onnx = Path.Combine(package, "model.onnx");
        TinyOnnx.WriteEmbedder(onnx, 112, 112, size);
        ModelManifest manifest = new() { EmbeddingSize = size, OnnxSha256 = Sha256.HashFile(onnx) };
        File.WriteAllText(Path.Combine(package, ModelManifest.FileName), JsonSerializer.Serialize(manifest, ModelManifest.Json));
        return package;
    }
}
