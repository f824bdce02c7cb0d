using System.Text.Json;
using System.Text.Json.Serialization;
using UniFace.Data;
using UniFace.Faces;
using UniFace.IO;

namespace UniFace.Cli.Photos;

/// <summary>File format of aligned faces.</summary>
internal enum CropFormat
{
    /// <summary>JPEG, quality 97, full colour resolution.</summary>
    Jpg,

    /// <summary>PNG, lossless.</summary>
    Png,
}

/// <summary>What became of a photo.</summary>
internal enum AlignOutcome
{
    /// <summary>One face or more was written.</summary>
    Aligned,

    /// <summary>Its face is in OUT from an earlier run.</summary>
    Existing,

    /// <summary>The detector found none.</summary>
    NoFace,

    /// <summary>Faces were found, all below --min-face.</summary>
    TooSmall,

    /// <summary>It is no picture, or damaged.</summary>
    Unreadable,

    /// <summary>More than one face could be the main one, and --strict was given.</summary>
    Ambiguous,
}

/// <summary>What decides how a face comes out; faces made by other settings must not lie beside each other.</summary>
internal sealed record AlignSettings(string Detector, int Size, FaceChoice Faces, CropFormat Format, float? MinScore, float MinFace);

/// <summary>A photo of the report's lists.</summary>
internal sealed record AlignEntry(string Photo, AlignOutcome Reason, string Detail);

/// <summary>A photo with several faces.</summary>
internal sealed record AlignSeveral(string Photo, int Faces);

/// <summary>The counts; what --json prints.</summary>
internal sealed record AlignSummary
{
    public required string Source { get; init; }

    public required string Out { get; init; }

    public required AlignSettings Settings { get; init; }

    /// <summary>False where the run was stopped before its end.</summary>
    public required bool Complete { get; init; }

    public required int Photos { get; init; }

    /// <summary>Photos of which this run wrote a face.</summary>
    public required int Aligned { get; init; }

    /// <summary>Faces this run wrote.</summary>
    public required int Faces { get; init; }

    public required int Existing { get; init; }

    public required int SeveralFaces { get; init; }

    public required int Ambiguous { get; init; }

    public required int NoFace { get; init; }

    public required int TooSmall { get; init; }

    public required int Unreadable { get; init; }

    /// <summary>Files beside the photos that cannot be read as photos.</summary>
    public int LeftOut { get; init; }

    /// <summary>Hidden files, texts and reports.</summary>
    public int IgnoredFiles { get; init; }

    public required double Seconds { get; init; }

    public required double ImagesPerSecond { get; init; }

    public required string Report { get; init; }

    public string? ContactSheet { get; init; }
}

/// <summary>align-report.json.</summary>
internal sealed record AlignReport(
    AlignSummary Summary, IReadOnlyList<AlignEntry> Skipped, IReadOnlyList<AlignSeveral> SeveralFaces, IReadOnlyList<LeftOutFile> LeftOut)
{
    public const string FileName = "align-report.json";

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    public void Save(string path) => AtomicFile.WriteText(path, JsonSerializer.Serialize(this, Options) + "\n");

    /// <summary>The settings of an earlier run's report; null where there is none that can be read.</summary>
    public static AlignSettings? SettingsOf(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize<AlignReport>(File.ReadAllText(path), Options)?.Summary?.Settings;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
