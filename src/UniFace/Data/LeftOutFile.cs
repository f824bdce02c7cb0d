namespace UniFace.Data;

/// <summary>A file or folder that was found beside the pictures and is not used.</summary>
/// <param name="Name">Its path inside the set, '/' between parts.</param>
/// <param name="Reason">What it is, or why it cannot be used, e.g. "a HEIC picture, as iPhones take them".</param>
public sealed record LeftOutFile(string Name, string Reason)
{
    private const int Shown = 3;

    /// <summary>How many there are and the first of them, in one sentence part: "2 files left out: a.heic (a HEIC picture), b (empty)".</summary>
    public static string Describe(IReadOnlyList<LeftOutFile> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        return $"{files.Count} {(files.Count == 1 ? "file" : "files")} left out: {First(files)}";
    }

    /// <summary>The first of them: "a.heic (a HEIC picture), b (empty)".</summary>
    public static string First(IReadOnlyList<LeftOutFile> files) =>
        string.Join(", ", files.Take(Shown).Select(file => $"{file.Name} ({file.Reason})")) + (files.Count > Shown ? " ..." : "");
}
