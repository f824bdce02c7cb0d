namespace UniFace.Vision.Models;

/// <summary>A file of an npm package, and what it must be.</summary>
/// <param name="Path">Its path in the package.</param>
/// <param name="Sha256">Its SHA-256; any other file is refused.</param>
/// <param name="Bytes">Its length.</param>
internal sealed record NpmFile(string Path, string Sha256, long Bytes);

/// <summary>How an ONNX file is built from the files of an npm package.</summary>
/// <param name="Companion">The other file that it is built from.</param>
/// <param name="Convert">From the contents of <see cref="CatalogueModel.File"/> and the companion to the ONNX file.</param>
/// <param name="OnnxSha256">SHA-256 of the ONNX file.</param>
internal sealed record OnnxConversion(NpmFile Companion, Func<byte[], byte[], byte[]> Convert, string OnnxSha256);

/// <summary>A third-party model that can be installed by name.</summary>
internal sealed record CatalogueModel
{
    /// <summary>Name in the catalogue.</summary>
    public required string Name { get; init; }

    /// <summary>"detector" or "embedder".</summary>
    public required string Task { get; init; }

    /// <summary>The npm package that contains it.</summary>
    public required string NpmPackage { get; init; }

    /// <summary>Exact version of the package.</summary>
    public required string Version { get; init; }

    /// <summary>The model's file in the package.</summary>
    public required string File { get; init; }

    /// <summary>SHA-256 of the file; any other file is refused.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Length of the file in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>The licence that the package states, and how reliable that is.</summary>
    public required string Licence { get; init; }

    /// <summary>True if the licence is doubtful, so the user must accept it once.</summary>
    public bool AsksForLicence { get; init; }

    /// <summary>What is known about its training data.</summary>
    public required string TrainingData { get; init; }

    /// <summary>Our measurement on LFW View 2; null for a detector.</summary>
    public string? MeasuredLfw { get; init; }

    /// <summary>What it is good for and where it is weak; null if nothing is known.</summary>
    public string? Suitability => Manifest?.Suitability;

    /// <summary>SHA-256 of the ONNX file of the installed model.</summary>
    public string OnnxSha256 => Conversion?.OnnxSha256 ?? Sha256;

    /// <summary>How the ONNX file is built; null if <see cref="File"/> is the ONNX file.</summary>
    internal OnnxConversion? Conversion { get; init; }

    /// <summary>The files to take from the package, <see cref="File"/> first.</summary>
    internal IReadOnlyList<NpmFile> Files => Conversion is null ? [new(File, Sha256, Bytes)] : [new(File, Sha256, Bytes), Conversion.Companion];

    /// <summary>How the model is run; null for a detector.</summary>
    internal ModelManifest? Manifest { get; init; }

    /// <summary>Name of the embedded calibration; null for a detector.</summary>
    internal string? CalibrationResource { get; init; }

    /// <summary>Path of a detector in <see cref="UniFaceHome"/>; null for an embedder.</summary>
    internal string? HomePath { get; init; }

    /// <summary>The installed file or package folder; null if it is not installed.</summary>
    public string? Installed() => HomePath is string path ? UniFaceHome.Find(path) ?? UniFaceHome.Find($"models/{Name}") : InstalledModels.Find(Name);
}
