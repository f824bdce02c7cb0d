using System.Text.Json;
using UniFace.Server.Endpoints;

namespace UniFace.Server.Runs;

/// <summary>
/// Evaluations under a folder: each folder with an eval.json, and the figures beside it. A name is only ever compared with what is
/// there, never made a path of.
/// </summary>
internal sealed class ResultCatalog(string root)
{
    private const int Depth = 3;
    private const int MostResults = 200;
    private const int MostBytes = 4 << 20;
    private const string ReportFile = "eval.json";

    private static readonly Dictionary<string, string> Types = new(StringComparer.OrdinalIgnoreCase)
    {
        [".svg"] = "image/svg+xml",
        [".jpg"] = "image/jpeg",
        [".png"] = "image/png",
    };

    /// <summary>Where evaluations are looked for.</summary>
    public string Root => root;

    /// <summary>All that can be read, by name.</summary>
    public IReadOnlyList<ResultEndpoints.ResultAnswer> Read() =>
    [
        .. Folders().Select(folder => ReadReport(folder) is JsonElement report
            ? new ResultEndpoints.ResultAnswer(NameOf(folder), File.GetLastWriteTimeUtc(Path.Combine(folder, ReportFile)), report, [.. Figures(folder).Select(f => Path.GetFileName(f)!)])
            : null).OfType<ResultEndpoints.ResultAnswer>(),
    ];

    /// <summary>A figure's file and media type; null where there is none of that name.</summary>
    public (string Path, string Type)? Figure(string result, string name)
    {
        string? folder = Folders().FirstOrDefault(f => NameOf(f) == result);
        string? file = folder is null ? null : Figures(folder).FirstOrDefault(f => Path.GetFileName(f) == name);
        return file is null ? null : (Path.GetFullPath(file), Types[Path.GetExtension(file)]);
    }

    private IEnumerable<string> Folders() =>
        !Directory.Exists(root) ? []
        : Directory.EnumerateFiles(root, ReportFile, new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = Depth, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint })
            .Take(MostResults).Select(f => Path.GetDirectoryName(f)!).Order(StringComparer.Ordinal);

    private string NameOf(string folder) => Path.GetRelativePath(root, folder) is "." ? RunCatalog.NameOf(root) : Path.GetRelativePath(root, folder).Replace('\\', '/');

    private static IEnumerable<string> Figures(string folder) =>
        Directory.EnumerateFiles(folder).Where(f => Types.ContainsKey(Path.GetExtension(f))).Order(StringComparer.Ordinal);

    private static JsonElement? ReadReport(string folder)
    {
        try
        {
            FileInfo file = new(Path.Combine(folder, ReportFile));
            JsonElement report = file.Length > MostBytes ? default : JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(file.FullName));
            return report.ValueKind == JsonValueKind.Object ? report : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}
