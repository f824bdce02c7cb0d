using UniFace.Data;

namespace UniFace.Vision.Photos;

/// <summary>What happened to a photo.</summary>
internal enum AlignOutcome
{
    /// <summary>One or more faces were written.</summary>
    Aligned,

    /// <summary>An earlier run has written its face.</summary>
    Existing,

    /// <summary>The detector found no face.</summary>
    NoFace,

    /// <summary>All faces are below the minimum size.</summary>
    TooSmall,

    /// <summary>It is not an image, or is damaged.</summary>
    Unreadable,

    /// <summary>More than one face could be the main one, and the pipeline is strict.</summary>
    Ambiguous,
}

/// <summary>The settings that determine a crop; crops of different settings must not be mixed in one folder.</summary>
/// <param name="Detector">The detector.</param>
/// <param name="Size">Width of a crop in pixels.</param>
/// <param name="Faces">The faces of a photo that are written.</param>
/// <param name="Format">The file format.</param>
/// <param name="MinScore">The smallest detection score; null for the detector's own.</param>
/// <param name="MinFace">The smallest side of a face in pixels of the photo.</param>
/// <param name="Template">The template of a model that is not ArcFace's; null for ArcFace's.</param>
internal sealed record AlignSettings(
    string Detector, int Size, FaceChoice Faces, CropFormat Format, float? MinScore, float MinFace, AlignmentTemplate? Template = null);

/// <summary>A photo without a crop.</summary>
internal sealed record AlignEntry(string Photo, AlignOutcome Reason, string Detail);

/// <summary>A photo with several faces.</summary>
internal sealed record AlignSeveral(string Photo, int Faces);

/// <summary>The counts of a run.</summary>
/// <param name="Source">The photos.</param>
/// <param name="Out">The folder of the crops.</param>
/// <param name="Settings">The settings.</param>
/// <param name="Complete">False if the run was stopped.</param>
/// <param name="Photos">Number of photos.</param>
/// <param name="Aligned">Photos of which this run wrote a face.</param>
/// <param name="Faces">Faces that this run wrote.</param>
/// <param name="Existing">Photos with a crop of an earlier run.</param>
/// <param name="SeveralFaces">Photos with several faces.</param>
/// <param name="Ambiguous">Ambiguous photos, if those are refused.</param>
/// <param name="NoFace">Photos without a face.</param>
/// <param name="TooSmall">Photos with small faces only.</param>
/// <param name="Unreadable">Photos that cannot be read.</param>
/// <param name="LeftOut">Files beside the photos that are not photos.</param>
/// <param name="IgnoredFiles">Hidden files, texts and reports.</param>
/// <param name="Seconds">Duration.</param>
/// <param name="ImagesPerSecond">Speed.</param>
/// <param name="Report">Path of the report.</param>
/// <param name="ContactSheet">Path of the contact sheet; null if there is nothing to show.</param>
internal sealed record AlignSummary(
    string Source, string Out, AlignSettings Settings, bool Complete, int Photos, int Aligned, int Faces, int Existing,
    int SeveralFaces, int Ambiguous, int NoFace, int TooSmall, int Unreadable, int LeftOut, int IgnoredFiles, double Seconds,
    double ImagesPerSecond, string Report, string? ContactSheet);

/// <summary>align-report.json.</summary>
internal sealed record AlignReport(
    AlignSummary Summary, IReadOnlyList<AlignEntry> Skipped, IReadOnlyList<AlignSeveral> SeveralFaces, IReadOnlyList<SkippedFile> LeftOut)
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "align-report.json";

    internal void Save() => AtomicFile.WriteText(Summary.Report, JsonSerializer.Serialize(this, AlignReportJson.Default.AlignReport) + "\n");

    /// <summary>The settings of an earlier run; null if it left no readable report.</summary>
    internal static AlignSettings? ReadSettings(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllText(path), AlignReportJson.Default.AlignReport)?.Summary?.Settings : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    WriteIndented = true,
    GenerationMode = JsonSourceGenerationMode.Metadata,
    Converters = [
        typeof(KebabCaseEnum<AlignOutcome>), typeof(KebabCaseEnum<FaceChoice>), typeof(KebabCaseEnum<CropFormat>), typeof(KebabCaseEnum<CropBorder>),
        typeof(KebabCaseEnum<CropSampling>)])]
[JsonSerializable(typeof(AlignReport))]
internal sealed partial class AlignReportJson : JsonSerializerContext;

internal sealed class KebabCaseEnum<TEnum>() : JsonStringEnumConverter<TEnum>(JsonNamingPolicy.KebabCaseLower)
    where TEnum : struct, Enum;
