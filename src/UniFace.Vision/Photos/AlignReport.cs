using System.Text.Json;
using System.Text.Json.Serialization;
using UniFace.Data;
using UniFace.Faces;
using UniFace.IO;

namespace UniFace.Vision.Photos;

/// <summary>What happened to a photo.</summary>
public enum AlignOutcome
{
    /// <summary>One or more faces were written.</summary>
    Aligned,

    /// <summary>An earlier run has written its face.</summary>
    Existing,

    /// <summary>The detector found no face.</summary>
    NoFace,

    /// <summary>All faces are below the minimum size.</summary>
    TooSmall,

    /// <summary>It is not a picture, or is damaged.</summary>
    Unreadable,

    /// <summary>More than one face could be the main one, and the pipeline is strict.</summary>
    Ambiguous,
}

/// <summary>The settings that determine a crop; crops of different settings must not be mixed in one folder.</summary>
public sealed record AlignSettings(string Detector, int Size, FaceChoice Faces, CropFormat Format, float? MinScore, float MinFace);

/// <summary>A photo without a crop.</summary>
public sealed record AlignEntry(string Photo, AlignOutcome Reason, string Detail);

/// <summary>A photo with several faces.</summary>
public sealed record AlignSeveral(string Photo, int Faces);

/// <summary>The counts of a run.</summary>
public sealed record AlignSummary
{
    /// <summary>The photos.</summary>
    public required string Source { get; init; }

    /// <summary>The folder of the crops.</summary>
    public required string Out { get; init; }

    /// <summary>The settings.</summary>
    public required AlignSettings Settings { get; init; }

    /// <summary>False if the run was stopped.</summary>
    public required bool Complete { get; init; }

    /// <summary>Number of photos.</summary>
    public required int Photos { get; init; }

    /// <summary>Photos of which this run wrote a face.</summary>
    public required int Aligned { get; init; }

    /// <summary>Faces that this run wrote.</summary>
    public required int Faces { get; init; }

    /// <summary>Photos with a crop of an earlier run.</summary>
    public required int Existing { get; init; }

    /// <summary>Photos with several faces.</summary>
    public required int SeveralFaces { get; init; }

    /// <summary>Ambiguous photos, if those are refused.</summary>
    public required int Ambiguous { get; init; }

    /// <summary>Photos without a face.</summary>
    public required int NoFace { get; init; }

    /// <summary>Photos with small faces only.</summary>
    public required int TooSmall { get; init; }

    /// <summary>Photos that cannot be read.</summary>
    public required int Unreadable { get; init; }

    /// <summary>Files beside the photos that are not photos.</summary>
    public required int LeftOut { get; init; }

    /// <summary>Hidden files, texts and reports.</summary>
    public required int IgnoredFiles { get; init; }

    /// <summary>Duration.</summary>
    public required double Seconds { get; init; }

    /// <summary>Speed.</summary>
    public required double ImagesPerSecond { get; init; }

    /// <summary>Path of the report.</summary>
    public required string Report { get; init; }

    /// <summary>Path of the contact sheet; null if there is nothing to show.</summary>
    public required string? ContactSheet { get; init; }
}

/// <summary>align-report.json.</summary>
public sealed record AlignReport(
    AlignSummary Summary, IReadOnlyList<AlignEntry> Skipped, IReadOnlyList<AlignSeveral> SeveralFaces, IReadOnlyList<LeftOutFile> LeftOut)
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "align-report.json";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    internal void Save() => AtomicFile.WriteText(Summary.Report, JsonSerializer.Serialize(this, Options) + "\n");

    /// <summary>The settings of an earlier run; null if it left no readable report.</summary>
    internal static AlignSettings? ReadSettings(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<AlignReport>(File.ReadAllText(path), Options)?.Summary?.Settings : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
