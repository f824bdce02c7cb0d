namespace UniFace.Data;

/// <summary>A file or folder beside the images that is not used.</summary>
/// <param name="Name">Its path inside the set, '/' between parts.</param>
/// <param name="Reason">What it is, or why it cannot be used, e.g. "a TIFF image".</param>
internal sealed record SkippedFile(string Name, string Reason)
{
    private const int Shown = 3;

    /// <summary>The number of files and the first ones: "2 files skipped: a.tiff (a TIFF image), b (empty)".</summary>
    public static string Describe(IReadOnlyList<SkippedFile> files) => $"{Plural.Format(files.Count, "file")} skipped: {First(files)}";

    /// <summary>The first ones: "a.tiff (a TIFF image), b (empty)".</summary>
    public static string First(IReadOnlyList<SkippedFile> files) =>
        string.Join(", ", files.Take(Shown).Select(file => $"{file.Name} ({file.Reason})")) + (files.Count > Shown ? " ..." : "");
}
