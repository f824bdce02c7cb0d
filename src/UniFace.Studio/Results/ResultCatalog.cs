using UniFace.IO;

namespace UniFace.Studio.Results;

/// <summary>An evaluation.</summary>
/// <param name="Name">Its folder, relative to the folder of runs.</param>
/// <param name="Measured">When it was measured.</param>
/// <param name="Report">Contents of eval.json.</param>
/// <param name="Figures">Names of its charts and contact sheets, for /v1/results/figure.</param>
internal sealed record ResultAnswer(string Name, DateTime Measured, JsonElement Report, IReadOnlyList<string> Figures);

/// <summary>
/// Evaluations below a folder: each folder with an eval.json, and the figures beside it. Names from requests are compared with existing ones, never used as
/// paths.
/// </summary>
internal sealed class ResultCatalog(string root)
{
    private const int MaxDepth = 3, MaxResults = 200, MaxBytes = 4 << 20;
    private const string ReportFile = "eval.json";

    private static readonly EnumerationOptions Search = new()
    {
        RecurseSubdirectories = true,
        MaxRecursionDepth = MaxDepth,
        IgnoreInaccessible = true,
        AttributesToSkip = FileAttributes.ReparsePoint,
    };

    private static readonly Dictionary<string, string> MediaTypes = new(StringComparer.OrdinalIgnoreCase)
    {
        [".svg"] = "image/svg+xml",
        [".jpg"] = "image/jpeg",
        [".png"] = "image/png",
    };

    /// <summary>The folder that is searched.</summary>
    public string Root => root;

    /// <summary>All readable evaluations, by name.</summary>
    public IReadOnlyList<ResultAnswer> Read() =>
    [
        .. from folder in Folders()
           let report = ReadReport(folder)
           where report is not null
           let measured = File.GetLastWriteTimeUtc(Path.Combine(folder, ReportFile))
           select new ResultAnswer(GetName(folder), measured, report.Value, [.. Figures(folder).Select(f => Path.GetFileName(f)!)]),
    ];

    /// <summary>Finds a figure's file and media type; null if there is none of that name.</summary>
    public (string Path, string Type)? FindFigure(string result, string name)
    {
        string? folder = Folders().FirstOrDefault(f => GetName(f) == result);
        string? file = folder is null ? null : Figures(folder).FirstOrDefault(f => Path.GetFileName(f) == name);
        return file is null ? null : (Path.GetFullPath(file), MediaTypes[Path.GetExtension(file)]);
    }

    private IEnumerable<string> Folders() =>
        !Directory.Exists(root) ? []
        : Directory.EnumerateFiles(root, ReportFile, Search).Take(MaxResults).Select(f => Path.GetDirectoryName(f)!).Order(StringComparer.Ordinal);

    private string GetName(string folder)
    {
        string name = Path.GetRelativePath(root, folder);
        return name == "." ? RealPath.GetName(root) : name.Replace('\\', '/');
    }

    private static IEnumerable<string> Figures(string folder) =>
        Directory.EnumerateFiles(folder).Where(f => MediaTypes.ContainsKey(Path.GetExtension(f))).Order(StringComparer.Ordinal);

    private static JsonElement? ReadReport(string folder)
    {
        try
        {
            FileInfo file = new(Path.Combine(folder, ReportFile));
            JsonElement report = file.Length > MaxBytes ? default : JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(file.FullName));
            return report.ValueKind == JsonValueKind.Object ? report : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}
