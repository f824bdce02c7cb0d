using System.Text.Json;
using UniFace.Cli.Eval;
using UniFace.Evaluation.Verification;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Training;
using UniFace.Training.Backbones;
using UniFace.Training.Export;
using UniFace.Vision.Onnx;

namespace UniFace.Cli.Models;

/// <summary>uniface export --int8: the float package first, behind its parity gate, then its weights stored as int8, behind a gate of accuracy.</summary>
internal static class Int8Export
{
    private const double MostLost = 0.003;

    /// <summary>Writes the package; on refusal the destination is as it was.</summary>
    /// <exception cref="UniFaceException">Nobody was held out to measure on, or too much accuracy is lost.</exception>
    public static ExportResult Export(Backbone backbone, RunInfo info, ModelManifest manifest, string output, TrainingFingerprint trained, OverlapGate gate)
    {
        PackageFolder destination = new(output);
        DirectoryInfo work = Directory.CreateTempSubdirectory("uniface-int8-");
        string beside = "";
        try
        {
            ExportResult exported = PackageExporter.Export(backbone, manifest, null, Path.Combine(work.FullName, "float"),
                (path, asWritten) => OnnxEmbedder.Open(path, asWritten), trained);
            string floatOnnx = Path.Combine(exported.Folder, exported.Manifest.OnnxFile);
            byte[] stored = Int8Weights.Quantize(File.ReadAllBytes(floatOnnx), output);
            beside = destination.CreateBeside();
            string onnx = Path.Combine(beside, PackageFolder.OnnxName);
            File.WriteAllBytes(onnx, stored);
            ModelManifest small = exported.Manifest with { OnnxSha256 = Sha256.HashBytes(stored) };

            RunCalibration.HeldOut before = Measure(info, floatOnnx, exported.Manifest, gate), after = Measure(info, onnx, small, gate);
            CrossValidatedAccuracy was = Accuracy(before, output), now = Accuracy(after, output);
            if (was.Mean - now.Mean > MostLost)
            {
                throw new UniFaceException(FormattableString.Invariant($"{output}: not written: int8 weights bring accuracy from {was.Mean:P2} to {now.Mean:P2} on the people held out, more than {100 * MostLost} points less; export without --int8."));
            }

            small = small with
            {
                Quantization = new Quantization
                {
                    Kind = "int8 weights, a scale an output channel",
                    Data = $"people that the run did not train on ({info.Options.Validation ?? info.Options.Data})",
                    Pairs = now.Folds.Sum(f => f.Pairs),
                    AccuracyBefore = was.Mean,
                    AccuracyAfter = now.Mean,
                },
            };
            trained.Save(Path.Combine(beside, TrainingFingerprint.FileName));
            AtomicFile.WriteText(Path.Combine(beside, ModelManifest.FileName), JsonSerializer.Serialize(small, ModelManifest.Json) + "\n");
            after.Calibration?.For(small).Save(Path.Combine(beside, Calibration.FileName));
            PackageFile[] files = [.. new DirectoryInfo(beside).GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => new PackageFile(file.Name, file.Length))];
            destination.Replace(beside);
            return new ExportResult(output, small, exported.Parity, files);
        }
        finally
        {
            work.Delete(recursive: true);
            if (Directory.Exists(beside))
            {
                Directory.Delete(beside, recursive: true);
            }
        }
    }

    private static RunCalibration.HeldOut Measure(RunInfo info, string onnx, ModelManifest manifest, OverlapGate gate)
    {
        using OnnxEmbedder embedder = OnnxEmbedder.Open(onnx, manifest);
        return RunCalibration.Measure(info, embedder, manifest.FlipSum, gate)
            ?? throw new UniFaceException("--int8 has to be measured on people that the run did not train on, and there are none (or their pictures are gone): train with --val-people, or export without --int8.");
    }

    private static CrossValidatedAccuracy Accuracy(RunCalibration.HeldOut measured, string output) =>
        measured.Result.Accuracy ?? throw new UniFaceException($"{output}: not written: the people held out make too few pairs to measure what int8 costs; export without --int8.");
}
