using UniFace.Vision.Onnx;

namespace UniFace.Training.Export;

/// <summary>A file of a package.</summary>
/// <param name="Name">Its name in the package folder.</param>
/// <param name="Bytes">Its length.</param>
public sealed record PackageFile(string Name, long Bytes);

/// <summary>A package that was written.</summary>
/// <param name="Folder">The package folder.</param>
/// <param name="Manifest">Its model.json.</param>
/// <param name="Parity">Result of the parity gate.</param>
/// <param name="Files">Its files.</param>
public sealed record ExportResult(string Folder, ModelManifest Manifest, ParityResult Parity, IReadOnlyList<PackageFile> Files);

/// <summary>
/// Writes a backbone as a model package: model.onnx, model.json and, if given, calibration.json. The package is only written if ONNX Runtime
/// gives the embeddings of the trained backbone (<see cref="ParityGate"/>).
/// </summary>
public static class PackageExporter
{
    /// <summary>Changes a package before it is completed: receives the ONNX file and the manifest, returns the manifest and the calibration.</summary>
    internal delegate (ModelManifest Manifest, Calibration? Calibration) Completion(string onnx, ModelManifest manifest);

    /// <summary>
    /// Writes a package. It is built in a folder beside the destination and renamed into place, replacing an older package. If the package is
    /// refused, the destination is unchanged.
    /// </summary>
    /// <param name="backbone">On any device, in any mode; not changed.</param>
    /// <param name="manifest">The manifest; ONNX file name, hash and tool version are filled in here.</param>
    /// <param name="calibration">A calibration of this model, or null. One without a contract id gets that of the package.</param>
    /// <param name="folder">The package folder: absent, empty, or a package.</param>
    /// <param name="fingerprint">Fingerprint of what the backbone was trained on, or null; written into the package.</param>
    /// <exception cref="UniFaceException">
    /// The manifest does not match the backbone, the destination holds something else, the calibration belongs to another model, or the parity
    /// gate refuses.
    /// </exception>
    public static ExportResult Export(
        Backbone backbone, ModelManifest manifest, Calibration? calibration, string folder, TrainingFingerprint? fingerprint = null) =>
        Export(backbone, manifest, folder, fingerprint, (_, written) => (written, calibration?.For(written)));

    /// <summary>Writes a package that a delegate completes after the parity gate.</summary>
    internal static ExportResult Export(
        Backbone backbone, ModelManifest template, string folder, TrainingFingerprint? fingerprint, Completion complete)
    {
        CheckManifest(template, backbone);
        PackageFolder destination = new(folder);
        string work = destination.CreateBeside();
        try
        {
            string onnx = Path.Combine(work, PackageFolder.OnnxName);
            OnnxExporter.Write(backbone, onnx);
            ModelManifest manifest = template with
            {
                OnnxFile = PackageFolder.OnnxName,
                OnnxSha256 = Sha256.HashFile(onnx),
                ToolVersion = ToolVersion.Current,
            };
            ParityResult parity = MeasureParity(backbone, manifest, onnx);
            if (!parity.Passed)
            {
                throw new UniFaceException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{folder}: not written: embeddings of the exported model have cosine {parity.Cosine:F6} with the trained ones (batch 1: " +
                    $"{parity.Batch1:F6}, batch 7: {parity.Batch7:F6}), expected at least {ParityGate.MinCosine}. Check that the weights are " +
                    $"finite, and report the backbone {backbone.Spec}."));
            }

            if (fingerprint is not null && manifest.Training is not null)
            {
                string hashes = Path.Combine(work, TrainingFingerprint.FileName);
                fingerprint.Save(hashes);
                manifest = manifest with { Training = manifest.Training with { FingerprintSha256 = Sha256.HashFile(hashes) } };
            }

            (manifest, Calibration? calibration) = complete(onnx, manifest);
            AtomicFile.WriteText(Path.Combine(work, ModelManifest.FileName), JsonSerializer.Serialize(manifest, ModelManifest.Json) + "\n");
            calibration?.Save(Path.Combine(work, Calibration.FileName));
            FileInfo[] files = [.. new DirectoryInfo(work).GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal)];
            PackageFile[] written = [.. files.Select(file => new PackageFile(file.Name, file.Length))];
            destination.Replace(work);
            return new ExportResult(folder, manifest, parity, written);
        }
        finally
        {
            if (Directory.Exists(work))
            {
                Directory.Delete(work, recursive: true);
            }
        }
    }

    private static ParityResult MeasureParity(Backbone backbone, ModelManifest manifest, string onnx)
    {
        // Without flip-sum, which would average differences away.
        using OnnxEmbedder exported = OnnxEmbedder.Open(onnx, manifest with { FlipSum = false });
        using BackboneEmbedder trained = new(backbone, flipSum: false, ownsBackbone: false);
        return ParityGate.Measure(trained, exported);
    }

    private static void CheckManifest(ModelManifest manifest, Backbone backbone)
    {
        Require(manifest.EmbeddingSize, backbone.Spec.EmbeddingSize, "embeddingSize");
        Require(manifest.InputWidth, BackboneRegistry.InputSize, "inputWidth");
        Require(manifest.InputHeight, BackboneRegistry.InputSize, "inputHeight");
        Require(manifest.ColorOrder, ColorOrder.Rgb, "colorOrder");
        Require(manifest.Normalization, PixelNormalization.Default, "normalization");

        void Require<T>(T value, T expected, string field)
        {
            if (!Equals(value, expected))
            {
                throw new UniFaceException($"The manifest's {field} is {value}, but the backbone {backbone.Spec} was trained with {expected}.");
            }
        }
    }
}
