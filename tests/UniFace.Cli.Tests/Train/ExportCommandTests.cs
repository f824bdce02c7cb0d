using System.Text.Json;
using UniFace.IO;
using UniFace.Packages;

namespace UniFace.Cli.Tests.Train;

/// <summary>A run of a few steps on synthetic faces, shared by the tests.</summary>
public sealed class SmallRun : IDisposable
{
    public SmallRun()
    {
        CliProcess.RunIn(Folder, "data", "make", "faces", "--people", "4", "--images", "4").Expect(0);
        CliProcess.RunIn(
            Folder, "train", "faces", "--loss", "uce", "--backbone", "mobilefacenet", "--width", "0.25", "--embedding-size", "64", "--epochs", "1",
            "--batch", "8", "--out", "run").Expect(0);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("uniface-export-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

/// <summary>An exported package reproduces the run's embeddings, or is not written.</summary>
public sealed class ExportCommandTests(SmallRun small) : IClassFixture<SmallRun>
{
    [Fact]
    public void Run_is_exported_as_a_package_that_opens()
    {
        JsonElement result = CliProcess.RunIn(
            small.Folder, "export", "run", "--out", "package", "--licence", "CC0-1.0", "--flip-sum", "--json").Expect(0).Json();
        string package = Path.Combine(small.Folder, "package");
        ModelManifest manifest = ModelPackage.Open(package).Manifest!;
        Assert.Equal(64, manifest.EmbeddingSize);
        Assert.True(manifest.FlipSum);
        Assert.Equal("CC0-1.0", manifest.Licence);
        Assert.Equal("mobilefacenet(width=0.25,embedding=64)", manifest.Training!.Backbone);
        Assert.Equal(4, manifest.Training.People);
        Assert.Equal(16, manifest.Training.Images);
        Assert.Equal(manifest.OnnxSha256, result.GetProperty("sha256").GetString());
        Assert.Equal(Sha256.HashFile(Path.Combine(package, "model.onnx")), manifest.OnnxSha256);
        Assert.Equal(manifest.ContractId, result.GetProperty("contractId").GetString());
        Assert.InRange(result.GetProperty("parity").GetProperty("cosine").GetDouble(), 0.9999, 1.0001);
        Assert.Equal(
            ["model-card.md", "model.json", "model.onnx", "training.hashes"],
            result.GetProperty("files").EnumerateArray().Select(f => f.GetProperty("name").GetString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Export_prints_sizes_parity_and_hash()
    {
        string text = CliProcess.RunIn(small.Folder, "export", "run", "--out", "for-people").Expect(0).Out;
        string hash = ModelPackage.Open(Path.Combine(small.Folder, "for-people")).Manifest!.OnnxSha256;
        Assert.Contains("model.onnx", text, StringComparison.Ordinal);
        Assert.Contains("model.json", text, StringComparison.Ordinal);
        Assert.Contains(hash, text, StringComparison.Ordinal);
        Assert.Matches("cosine (1\\.000|0\\.9999)\\d*", text);
    }

    [Theory]
    [InlineData("no-such-run", "is not a training run")]
    [InlineData("faces", "is not a training run")]
    public void Invalid_run_prints_one_line(string run, string words)
    {
        CliResult result = CliProcess.RunIn(small.Folder, "export", run, "--out", "p").Expect(2);
        Assert.Contains(words, result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
        Assert.False(Directory.Exists(Path.Combine(small.Folder, "p")));
    }

    [Fact]
    public void Missing_weights_or_calibration_are_reported()
    {
        CliResult best = CliProcess.RunIn(small.Folder, "export", "run", "--out", "p", "--weights", "best").Expect(2);
        Assert.Contains("best.ckpt", best.Error, StringComparison.Ordinal);
        CliResult calibration = CliProcess.RunIn(small.Folder, "export", "run", "--out", "p", "--calibration", "nowhere.json").Expect(2);
        Assert.Contains("nowhere.json", calibration.Error, StringComparison.Ordinal);
        CliProcess.RunIn(small.Folder, "export", "run", "--out", "run").Expect(2);
        Assert.True(File.Exists(Path.Combine(small.Folder, "run", "run.json")));
        Assert.False(Directory.Exists(Path.Combine(small.Folder, "p")));
    }

    [Fact]
    public void Int8_export_requires_and_records_an_accuracy_on_held_out_people()
    {
        Assert.Contains(
            "people that the run did not train on", CliProcess.RunIn(small.Folder, "export", "run", "--out", "small", "--int8").Expect(2).Error,
            StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(small.Folder, "small")));
        CliProcess.RunIn(small.Folder, "data", "make", "more", "--people", "16", "--images", "4", "--seed", "5").Expect(0);
        CliProcess.RunIn(
            small.Folder, "train", "more", "--loss", "uce", "--backbone", "mobilefacenet", "--width", "0.25", "--embedding-size", "64", "--epochs",
            "1", "--batch", "8", "--val-people", "0.5", "--out", "held").Expect(0);
        CliProcess.RunIn(small.Folder, "export", "held", "--out", "float").Expect(0);
        CliResult exported = CliProcess.RunIn(small.Folder, "export", "held", "--out", "int8", "--int8", "--json");
        if (exported.ExitCode == 2)
        {
            // After so little training, pairs lie at the threshold, so int8 may be refused; then the error states the loss of accuracy and nothing is written.
            Assert.Contains("int8 weights bring accuracy from", exported.Error, StringComparison.Ordinal);
            Assert.False(Directory.Exists(Path.Combine(small.Folder, "int8")));
            return;
        }

        ModelPackage package = ModelPackage.Open(Path.Combine(small.Folder, "int8"));
        Quantization stored = package.Manifest!.Quantization!;
        Assert.True(stored.AccuracyBefore - stored.AccuracyAfter <= 0.003);
        Assert.True(stored.Pairs >= 20);
        Assert.Equal(stored.AccuracyAfter, exported.Json().GetProperty("quantization").GetProperty("accuracyAfter").GetDouble(), 1e-12);
        Assert.True(new FileInfo(package.OnnxPath).Length < 0.45 * new FileInfo(Path.Combine(small.Folder, "float", "model.onnx")).Length);
        Assert.NotEqual(ModelPackage.Open(Path.Combine(small.Folder, "float")).Manifest!.ContractId, package.Manifest.ContractId);
        Calibration.Load(package.CalibrationPath!).EnsureFits(package.Manifest);
    }
}
