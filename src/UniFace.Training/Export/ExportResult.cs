namespace UniFace.Training.Export;

/// <summary>A file of a package.</summary>
/// <param name="Name">Its name in the package folder.</param>
/// <param name="Bytes">Length of the file in bytes.</param>
internal sealed record PackageFile(string Name, long Bytes);

/// <summary>A package that was written.</summary>
/// <param name="Folder">The package folder.</param>
/// <param name="Manifest">Content of model.json.</param>
/// <param name="Parity">Result of the parity gate.</param>
/// <param name="Files">Files of the package.</param>
internal sealed record ExportResult(string Folder, ModelManifest Manifest, ParityResult Parity, IReadOnlyList<PackageFile> Files);
