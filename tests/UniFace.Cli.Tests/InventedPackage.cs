using System.Text.Json;
using UniFace.IO;
using UniFace.Packages;

namespace UniFace.Cli.Tests;

/// <summary>A package around a tiny embedder of 8 values, with an invented calibration.</summary>
internal static class InventedPackage
{
    /// <summary>Writes model.json and calibration.json of a model into a package folder.</summary>
    public static void Complete(string package, string onnx)
    {
        ModelManifest manifest = new() { EmbeddingSize = 8, OnnxSha256 = Sha256.OfFile(onnx) };
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
