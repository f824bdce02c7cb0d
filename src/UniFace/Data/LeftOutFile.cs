namespace UniFace.Data;

/// <summary>A file or folder beside the pictures that is not used.</summary>
/// <param name="Name">Its path inside the set, '/' between parts.</param>
/// <param name="Reason">What it is, or why it cannot be used, e.g. "a TIFF picture".</param>
public sealed record LeftOutFile(string Name, string Reason)
{
    private const int Shown = 3;

    /// <summary>The number of files and the first ones: "2 files left out: a.tiff (a TIFF picture), b (empty)".</summary>
    public static string Describe(IReadOnlyList<LeftOutFile> files) => $"{Plural.Format(files.Count, "file")} left out: {First(files)}";

    /// <summary>The first ones: "a.tiff (a TIFF picture), b (empty)".</summary>
    public static string First(IReadOnlyList<LeftOutFile> files) =>
        string.Join(", ", files.Take(Shown).Select(file => $"{file.Name} ({file.Reason})")) + (files.Count > Shown ? " ..." : "");
}
