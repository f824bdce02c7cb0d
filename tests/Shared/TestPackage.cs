using System.Text.Json;
using UniFace.IO;
using UniFace.Packages;

namespace UniFace.TestSupport;

/// <summary>A package with a tiny embedder of 8 values and an invented calibration: at a false match rate of 0.01 the threshold is 0.77.</summary>
internal static class TestPackage
{
    /// <summary>Writes a complete package for aligned faces of 112x112 and returns its folder.</summary>
    /// <param name="package">The folder to create.</param>
    /// <param name="seed">Seed of the weights.</param>
    public static string Write(string package, int seed = 1)
    {
        Directory.CreateDirectory(package);
        string onnx = Path.Combine(package, "model.onnx");
        TinyOnnx.WriteEmbedder(onnx, 112, 112, 8, seed: seed);
        Complete(package, onnx);
        return package;
    }

    /// <summary>Writes model.json and calibration.json of a model into a package folder.</summary>
    public static void Complete(string package, string onnx, int size = 8)
    {
        ModelManifest manifest = new() { EmbeddingSize = size, OnnxSha256 = Sha256.HashFile(onnx) };
        File.WriteAllText(Path.Combine(package, ModelManifest.FileName), JsonSerializer.Serialize(manifest, ModelManifest.Json));
        new Calibration
        {
            FlipSum = false,
            Data = new CalibrationData { Name = "invented", Sha256 = new string('0', 64), SamePairs = 1000, DifferentPairs = 1000 },
            Created = DateTimeOffset.UnixEpoch,
            Entries = [new CalibrationEntry { FalseMatchRate = 0.01, Supported = true, Threshold = 0.77, MeasuredFalseMatchRate = 0.009 }],
            Curve = [new CalibrationPoint(0.77, 0.009, 0.9), new CalibrationPoint(0.5, 0.1, 0.99)],
        }.For(manifest).Save(Path.Combine(package, Calibration.FileName));
    }
}
