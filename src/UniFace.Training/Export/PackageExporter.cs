namespace UniFace.Training.Export;

/// <summary>A file of a package.</summary>
/// <param name="Name">Its name in the package folder.</param>
/// <param name="Bytes">Length of the file in bytes.</param>
public sealed record PackageFile(string Name, long Bytes);

/// <summary>A package that was written.</summary>
/// <param name="Folder">The package folder.</param>
/// <param name="Manifest">Content of model.json.</param>
/// <param name="Parity">Result of the parity gate.</param>
/// <param name="Files">Files of the package.</param>
public sealed record ExportResult(string Folder, ModelManifest Manifest, ParityResult Parity, IReadOnlyList<PackageFile> Files);

/// <summary>
/// Writes a backbone as a model package: model.onnx, model.json and, if given, calibration.json. The package is only written if ONNX Runtime
/// gives the embeddings of the trained backbone (<see cref="ParityGate"/>).
/// </summary>
public static class PackageExporter
{
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
        Backbone backbone, ModelManifest manifest, Calibration? calibration, string folder, TrainingFingerprint? fingerprint = null)
    {
        using PackageDraft draft = PackageDraft.Create(backbone, manifest, folder, fingerprint);
        return draft.Complete(calibration);
    }
}
