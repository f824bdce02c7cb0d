using System.Text.Json;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Tests.Data;

namespace UniFace.Tests.Packages;

/// <summary>Concurrent writers leave a complete package without a calibration of another model.</summary>
public sealed class PackageFolderTests : IDisposable
{
    private readonly TempFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Concurrent_replacements_leave_one_complete_package()
    {
        string target = folder["package"];
        Write(target, 0);
        string[] finished = [.. Enumerable.Range(0, 8).Select(i => Write(folder[$"finished{i}"], i))];
        Parallel.ForEach(finished, new ParallelOptions { MaxDegreeOfParallelism = 8 }, one => new PackageFolder(target).Replace(one));
        Assert.NotNull(ModelPackage.Open(target).Manifest);
        Assert.Equal(["package"], Directory.GetDirectories(folder.Root).Select(Path.GetFileName));
    }

    [Fact]
    public void A_calibration_is_not_saved_into_a_package_that_was_replaced()
    {
        string package = Write(folder["package"], 1);
        Calibration measured = Calibration(package);
        measured.SaveInto(package);
        Assert.Equal(measured.ContractId, ModelPackage.Open(package).LoadCalibration(ModelPackage.Open(package).Manifest!)!.ContractId);
        new PackageFolder(package).Replace(Write(folder["finished"], 2));
        Assert.Contains("calibrate this model", Assert.Throws<UniFaceException>(() => measured.SaveInto(package)).Message, StringComparison.Ordinal);
        Assert.Null(ModelPackage.Open(package).CalibrationPath);
        string onnx = Path.Combine(package, PackageFolder.OnnxName);
        Assert.Contains("expected a package folder", Assert.Throws<UniFaceException>(() => measured.SaveInto(onnx)).Message, StringComparison.Ordinal);
    }

    private static string Write(string package, int seed)
    {
        Directory.CreateDirectory(package);
        string onnx = Path.Combine(package, PackageFolder.OnnxName);
        File.WriteAllText(onnx, $"model {seed}");
        ModelManifest manifest = new() { EmbeddingSize = 8, OnnxSha256 = Sha256.HashFile(onnx) };
        File.WriteAllText(Path.Combine(package, ModelManifest.FileName), JsonSerializer.Serialize(manifest, ModelManifest.Json));
        return package;
    }

    private static Calibration Calibration(string package) => new Calibration
    {
        FlipSum = false,
        Data = new CalibrationData { Name = "invented", Sha256 = new string('0', 64), SamePairs = 1000, DifferentPairs = 1000 },
        Created = DateTimeOffset.UnixEpoch,
        Entries = [],
        Curve = [],
    }.For(ModelPackage.Open(package).Manifest!);
}
