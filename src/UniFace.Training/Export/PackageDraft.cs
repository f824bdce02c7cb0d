using UniFace.Vision.Onnx;

namespace UniFace.Training.Export;

/// <summary>
/// A model package under construction: model.onnx, which must give the embeddings of the trained backbone (<see cref="ParityGate"/>), model.json and, if
/// given, calibration.json. It is built in a folder beside its destination. <see cref="Complete"/> moves it into place, replacing an older package;
/// disposed before that, it leaves the destination as it was.
/// </summary>
internal sealed class PackageDraft : IDisposable
{
    private readonly string folder;
    private readonly PackageFolder destination;
    private readonly string work;
    private readonly ParityResult parity;

    /// <summary>Writes and checks the model.</summary>
    /// <param name="backbone">On any device, in any mode; not changed.</param>
    /// <param name="template">The manifest; ONNX file name, hash and tool version are filled in here.</param>
    /// <param name="folder">The package folder: absent, empty, or a package.</param>
    /// <param name="fingerprint">Fingerprint of what the backbone was trained on, or null; written into the package.</param>
    /// <exception cref="UniFaceException">
    /// The manifest does not match the backbone, the destination holds something else, or the parity gate refuses.
    /// </exception>
    public PackageDraft(Backbone backbone, ModelManifest template, string folder, TrainingFingerprint? fingerprint)
    {
        CheckManifest(template, backbone);
        this.folder = folder;
        destination = new PackageFolder(folder);
        work = destination.CreateBeside();
        try
        {
            OnnxExporter.Write(backbone, OnnxPath);
            Manifest = template with
            {
                OnnxFile = PackageFolder.OnnxName,
                OnnxSha256 = Sha256.HashFile(OnnxPath),
                ToolVersion = ToolVersion.Current,
            };
            parity = MeasureParity(backbone, Manifest, OnnxPath);
            if (!parity.Passed)
            {
                throw new UniFaceException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{folder}: not written: embeddings of the exported model have cosine {parity.Cosine:F6} with the trained ones (batch 1: " +
                    $"{parity.Batch1:F6}, batch 7: {parity.Batch7:F6}), expected at least {ParityGate.MinCosine}. Check that the weights are " +
                    $"finite, and report the backbone {backbone.Spec}."));
            }

            if (fingerprint is not null && template.Training is TrainingProvenance training)
            {
                string hashes = Path.Combine(work, TrainingFingerprint.FileName);
                fingerprint.Save(hashes);
                Manifest = Manifest with { Training = training with { FingerprintSha256 = Sha256.HashFile(hashes) } };
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The model of the package.</summary>
    public string OnnxPath => Path.Combine(work, PackageFolder.OnnxName);

    /// <summary>The manifest, which describes <see cref="OnnxPath"/>.</summary>
    public ModelManifest Manifest { get; set; }

    /// <summary>Adds the manifest and a calibration, and replaces the destination.</summary>
    /// <param name="calibration">A calibration of this model, or null. One without a contract id gets that of the package.</param>
    /// <exception cref="UniFaceException">The calibration belongs to another model.</exception>
    public ExportResult Complete(Calibration? calibration)
    {
        AtomicFile.WriteText(Path.Combine(work, ModelManifest.FileName), JsonSerializer.Serialize(Manifest, ModelManifest.Json) + "\n");
        calibration = calibration?.For(Manifest);
        calibration?.Save(Path.Combine(work, Calibration.FileName));
        ModelCard.Save(work, Manifest, calibration);
        FileInfo[] files = [.. new DirectoryInfo(work).GetFiles().OrderBy(file => file.Name, StringComparer.Ordinal)];
        PackageFile[] written = [.. files.Select(file => new PackageFile(file.Name, file.Length))];
        destination.Replace(work);
        return new ExportResult(folder, Manifest, parity, written);
    }

    /// <summary>Deletes what has not been moved into place.</summary>
    public void Dispose()
    {
        if (Directory.Exists(work))
        {
            Directory.Delete(work, recursive: true);
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
        Require(manifest.InputWidth, backbone.Input.Side, "inputWidth");
        Require(manifest.InputHeight, backbone.Input.Side, "inputHeight");
        Require(manifest.ColorOrder, ColorOrder.Rgb, "colorOrder");
        Require(manifest.Normalization, backbone.Input.Normalization, "normalization");

        void Require<T>(T value, T expected, string field)
        {
            if (!Equals(value, expected))
            {
                throw new UniFaceException($"The manifest's {field} is {value}, but the backbone {backbone.Spec} was trained with {expected}.");
            }
        }
    }
}
