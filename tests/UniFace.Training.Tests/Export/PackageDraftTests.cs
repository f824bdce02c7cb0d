using TorchSharp;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Training.Backbones;
using UniFace.Training.Export;
using UniFace.Training.Onnx;
using static TorchSharp.torch;

namespace UniFace.Training.Tests.Export;

public sealed class PackageDraftTests : IDisposable
{
    private const int Size = 64;

    private readonly string folder = Directory.CreateTempSubdirectory("uniface-package-").FullName;
    private readonly Backbone backbone = PrimedBackbone.Create("mobilefacenet", Size, 0.25);

    private string Package => Path.Combine(folder, "package");

    private static ModelManifest Manifest { get; } = new() { EmbeddingSize = Size, OnnxSha256 = "", Licence = "CC0-1.0" };

    public void Dispose()
    {
        backbone.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void A_package_opens_and_describes_what_was_exported()
    {
        ExportResult result = Export(Manifest with { FlipSum = true });
        Assert.Equal(["model-card.md", "model.json", "model.onnx"], result.Files.Select(file => file.Name));
        Assert.All(result.Files, file => Assert.Equal(new FileInfo(Path.Combine(Package, file.Name)).Length, file.Bytes));
        Assert.True(result.Parity.Cosine > 0.99999, $"{result.Parity}");

        ModelPackage package = ModelPackage.Open(Package);
        Assert.Equal(Sha256.HashFile(package.OnnxPath), package.Manifest!.OnnxSha256);
        Assert.Equal(result.Manifest, package.Manifest);
        Assert.True(package.Manifest.FlipSum);
        Assert.Equal("CC0-1.0", package.Manifest.Licence);
        Assert.Equal(ToolVersion.Current, package.Manifest.ToolVersion);
        Assert.Equal(["package"], Entries());
    }

    [Fact]
    public void A_model_that_fails_the_parity_gate_is_refused_and_leaves_no_file()
    {
        using Backbone other = PrimedBackbone.Create("mobilefacenet", Size, 0.25, seed: 8);
        UniFaceException e = Assert.Throws<UniFaceException>(() => new PackageDraft(new WrongExport(backbone, other), Manifest, Package, null));
        Assert.Contains("0.9999", e.Message, StringComparison.Ordinal);
        Assert.Matches("cosine -?0\\.\\d+", e.Message);
        Assert.Empty(Entries());
    }

    [Fact]
    public void A_refused_export_leaves_the_older_package_as_it_was()
    {
        Export(Manifest);
        string[] before = Hashes();
        using Backbone other = PrimedBackbone.Create("mobilefacenet", Size, 0.25, seed: 8);
        Assert.Throws<UniFaceException>(() => new PackageDraft(new WrongExport(backbone, other), Manifest, Package, null));
        Assert.Equal(before, Hashes());
        Assert.Equal(["package"], Entries());
    }

    [Fact]
    public void A_newer_export_replaces_the_whole_package()
    {
        Export(backbone, Manifest, Calibration());
        string before = ModelPackage.Open(Package).Manifest!.OnnxSha256;
        Assert.NotNull(ModelPackage.Open(Package).CalibrationPath);
        using Backbone other = PrimedBackbone.Create("mobilefacenet", Size, 0.25, seed: 8);
        Export(other, Manifest);
        Assert.NotEqual(before, ModelPackage.Open(Package).Manifest!.OnnxSha256);
        Assert.Null(ModelPackage.Open(Package).CalibrationPath);
        Assert.Equal(["package"], Entries());
    }

    [Fact]
    public void The_same_weights_give_the_same_contract() => Assert.Equal(Export(Manifest).Manifest.ContractId, Export(Manifest).Manifest.ContractId);

    [Fact]
    public void A_folder_with_something_else_is_never_replaced()
    {
        Directory.CreateDirectory(Package);
        File.WriteAllText(Path.Combine(Package, "thesis.tex"), "three years of work");
        UniFaceException e = Assert.Throws<UniFaceException>(() => Export(Manifest));
        Assert.Contains("thesis.tex", e.Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(Package, "thesis.tex")));

        string file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        Assert.Throws<UniFaceException>(() => new PackageDraft(backbone, Manifest, file, null));
    }

    [Fact]
    public void A_calibration_without_a_model_gets_this_ones_contract()
    {
        ExportResult result = Export(backbone, Manifest, Calibration());
        Calibration written = UniFace.Packages.Calibration.Load(Path.Combine(Package, "calibration.json"));
        Assert.Equal(result.Manifest.ContractId, written.ContractId);
        Assert.Equal(result.Manifest.OnnxSha256, written.OnnxSha256);

        // Bound to these weights, it can be exported with them again.
        Export(backbone, Manifest, written);
    }

    [Fact]
    public void A_calibration_of_another_model_is_refused()
    {
        Assert.Throws<UniFaceException>(() => Export(backbone, Manifest, Calibration() with { ContractId = "0123" }));
        Assert.Throws<UniFaceException>(() => Export(backbone, Manifest with { FlipSum = true }, Calibration()));
        Assert.Empty(Entries());
    }

    [Fact]
    public void A_manifest_that_does_not_fit_the_backbone_is_refused()
    {
        foreach (ModelManifest wrong in (ModelManifest[])[
            Manifest with { EmbeddingSize = 128 },
            Manifest with { InputWidth = 96 },
            Manifest with { InputHeight = 96 },
            Manifest with { ColorOrder = ColorOrder.Bgr },
            Manifest with { Normalization = new PixelNormalization(0, 255) }])
        {
            Assert.Throws<UniFaceException>(() => Export(wrong));
        }

        Assert.Empty(Entries());
    }

    [Fact]
    public void Export_keeps_the_mode_of_the_backbone_and_leaks_no_tensor()
    {
        backbone.train();
        long live = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        Export(Manifest);
        Assert.Equal(live, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        Assert.All(backbone.named_modules(), m => Assert.True(m.module.training));
    }

    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(0.9999, 1, true)]
    [InlineData(0.99989, 1, false)]
    [InlineData(1, 0.99989, false)]
    [InlineData(double.NaN, 1, false)]
    [InlineData(1, double.NaN, false)]
    public void The_gate_passes_only_when_both_batches_agree(double batch1, double batch7, bool passes) =>
        Assert.Equal(passes, new ParityResult(batch1, batch7).Passed);

    private ExportResult Export(ModelManifest manifest) => Export(backbone, manifest);

    private ExportResult Export(Backbone weights, ModelManifest manifest, Calibration? calibration = null)
    {
        using PackageDraft draft = new(weights, manifest, Package, null);
        return draft.Complete(calibration);
    }

    private string[] Entries() =>
        [.. Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)!).Where(name => name != ".package.lock")];

    private string[] Hashes() => [.. Directory.GetFiles(Package).Order().Select(Sha256.HashFile)];

    private static Calibration Calibration() => new()
    {
        FlipSum = false,
        Data = new CalibrationData { Name = "test", Sha256 = new string('0', 64), SamePairs = 10, DifferentPairs = 1000 },
        Created = DateTimeOffset.UnixEpoch,
        Entries = [new CalibrationEntry { FalseMatchRate = 0.1, Supported = true, Threshold = 0.3 }],
        Curve = [],
    };

    /// <summary>Emits the weights of another backbone than the one that it runs.</summary>
    private sealed class WrongExport(Backbone trained, Backbone emitted) : Backbone(trained.Spec), IOnnxLayer
    {
        public override Tensor forward(Tensor input) => trained.forward(input);

        public string Emit(OnnxGraph graph, string input) => ((IOnnxLayer)emitted).Emit(graph, input);

        public override IEnumerable<TorchSharp.Modules.Parameter> parameters(bool recurse = true) => trained.parameters(recurse);
    }
}
