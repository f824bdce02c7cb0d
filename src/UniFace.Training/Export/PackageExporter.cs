using System.Globalization;
using System.Text.Json;
using TorchSharp;
using UniFace.Embeddings;
using UniFace.IO;
using UniFace.Packages;
using UniFace.Training.Backbones;

namespace UniFace.Training.Export;

/// <summary>A file of a package.</summary>
/// <param name="Name">Its name in the package folder.</param>
/// <param name="Bytes">Its length.</param>
public sealed record PackageFile(string Name, long Bytes);

/// <summary>A package that was written.</summary>
/// <param name="Folder">Where.</param>
/// <param name="Manifest">Its model.json.</param>
/// <param name="Parity">What the parity gate measured.</param>
/// <param name="Files">What lies in it.</param>
public sealed record ExportResult(string Folder, ModelManifest Manifest, ParityResult Parity, IReadOnlyList<PackageFile> Files);

/// <summary>
/// Writes a backbone as a model package: model.onnx, model.json and, if given, calibration.json. A package is only written
/// when the ONNX file, run by the engine that will run it later, gives the embeddings of the trained backbone (<see cref="ParityGate"/>).
/// </summary>
public static class PackageExporter
{
    /// <summary>
    /// Writes a package. It is made in a folder beside and renamed into place; an older package there is replaced whole.
    /// On refusal the destination is as it was.
    /// </summary>
    /// <param name="backbone">On any device, in any mode; not changed.</param>
    /// <param name="manifestWithoutHash">The manifest; ONNX file name, hash and tool version are filled in here.</param>
    /// <param name="calibrationJson">Text of a calibration of this model, or null. One without contract id gets that of the package.</param>
    /// <param name="outFolder">The package folder: absent, empty, or a package.</param>
    /// <param name="openOnnx">Opens an ONNX file as a manifest says; what it gives is disposed here.</param>
    /// <param name="fingerprint">What the backbone was trained on, if the run kept it; written into the package.</param>
    /// <exception cref="UniFaceException">
    /// The manifest does not fit the backbone, the destination holds something else, the calibration is another model's,
    /// or the parity gate refuses.
    /// </exception>
    public static ExportResult Export(
        Backbone backbone,
        ModelManifest manifestWithoutHash,
        string? calibrationJson,
        string outFolder,
        Func<string, ModelManifest, IEmbedder> openOnnx,
        TrainingFingerprint? fingerprint = null)
    {
        ArgumentNullException.ThrowIfNull(backbone);
        ArgumentNullException.ThrowIfNull(manifestWithoutHash);
        ArgumentException.ThrowIfNullOrWhiteSpace(outFolder);
        ArgumentNullException.ThrowIfNull(openOnnx);
        CheckManifest(manifestWithoutHash, backbone);
        PackageFolder destination = new(outFolder);
        string work = destination.CreateBeside();
        try
        {
            string onnx = Path.Combine(work, PackageFolder.OnnxName);
            OnnxExporter.Write(backbone, onnx);
            ModelManifest manifest = manifestWithoutHash with
            {
                OnnxFile = PackageFolder.OnnxName,
                OnnxSha256 = Sha256.HashFile(onnx),
                ToolVersion = ToolVersion.Current,
            };
            ParityResult parity = MeasureParity(backbone, manifest, onnx, openOnnx);
            if (!parity.Passed)
            {
                throw new UniFaceException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{outFolder}: not written: embeddings of the exported model have cosine {parity.Cosine:F6} with the trained ones (batch 1: {parity.Batch1:F6}, batch 7: {parity.Batch7:F6}), expected at least {ParityGate.MinCosine}; check that the weights are finite, and report the backbone {backbone.Spec}."));
            }

            if (fingerprint is not null && manifest.Training is not null)
            {
                string hashes = Path.Combine(work, TrainingFingerprint.FileName);
                fingerprint.Save(hashes);
                manifest = manifest with { Training = manifest.Training with { FingerprintSha256 = Sha256.HashFile(hashes) } };
            }

            AtomicFile.WriteText(Path.Combine(work, ModelManifest.FileName), JsonSerializer.Serialize(manifest, ModelManifest.Json) + "\n");
            if (calibrationJson is not null)
            {
                Bind(Calibration.Parse(calibrationJson, Calibration.FileName), manifest).Save(Path.Combine(work, Calibration.FileName));
            }

            PackageFile[] files = [.. new DirectoryInfo(work).GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal).Select(file => new PackageFile(file.Name, file.Length))];
            destination.Replace(work);
            return new ExportResult(outFolder, manifest, parity, files);
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    private static ParityResult MeasureParity(Backbone backbone, ModelManifest manifest, string onnx, Func<string, ModelManifest, IEmbedder> openOnnx)
    {
        // Flip-sum would only average differences away.
        using IEmbedder exported = openOnnx(onnx, manifest with { FlipSum = false });
        torch.Device device = backbone.parameters().First().device;
        using BackboneEmbedder trained = new(backbone, flipSum: false, device: device, ownsBackbone: false);
        return ParityGate.Measure(trained, exported);
    }

    private static void CheckManifest(ModelManifest manifest, Backbone backbone)
    {
        Require(manifest.EmbeddingSize == backbone.Spec.EmbeddingSize, "embeddingSize", manifest.EmbeddingSize, backbone.Spec.EmbeddingSize);
        Require(manifest.InputWidth == BackboneRegistry.InputSize, "inputWidth", manifest.InputWidth, BackboneRegistry.InputSize);
        Require(manifest.InputHeight == BackboneRegistry.InputSize, "inputHeight", manifest.InputHeight, BackboneRegistry.InputSize);
        Require(manifest.ColorOrder == ColorOrder.Rgb, "colorOrder", manifest.ColorOrder, ColorOrder.Rgb);
        Require(manifest.Normalization == PixelNormalization.Default, "normalization", manifest.Normalization, PixelNormalization.Default);

        void Require(bool good, string field, object value, object expected)
        {
            if (!good)
            {
                throw new UniFaceException($"The manifest's {field} is {value}, but backbone {backbone.Spec} is trained on {expected}.");
            }
        }
    }

    /// <summary>The calibration with this package's contract id, if it is this model's or says no model.</summary>
    private static Calibration Bind(Calibration calibration, ModelManifest manifest)
    {
        if (calibration.FlipSum != manifest.FlipSum)
        {
            throw new UniFaceException($"The calibration was measured {With(calibration.FlipSum)} flip-sum, the package is to run {With(manifest.FlipSum)}: calibrate again, or export {With(calibration.FlipSum)} flip-sum.");
        }

        if (calibration.ContractId is string contract && contract != manifest.ContractId)
        {
            throw new UniFaceException($"The calibration is of the model with contract {contract}, this package is {manifest.ContractId}: thresholds of one model say nothing about another, calibrate this one.");
        }

        return calibration with { ContractId = manifest.ContractId, OnnxSha256 = manifest.OnnxSha256 };

        static string With(bool flipSum) => flipSum ? "with" : "without";
    }
}
