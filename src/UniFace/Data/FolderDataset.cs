namespace UniFace.Data;

/// <summary>A data set as a folder with one folder a person. The folder's name is the person's; files that are no pictures are skipped.</summary>
public sealed class FolderDataset : FaceDataset
{
    private const int DeepestFolder = 6;

    private readonly PersonLayout layout;
    private readonly IReadOnlyList<string> paths;

    private FolderDataset(string source, IReadOnlyList<string> paths, PersonLayout layout, IReadOnlyList<string> warnings)
    {
        Source = source;
        this.paths = paths;
        this.layout = layout;
        Warnings = warnings;
    }

    /// <inheritdoc/>
    public override string Source { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> People => layout.People;

    /// <inheritdoc/>
    public override IReadOnlyList<FaceSample> Samples => layout.Samples;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Warnings { get; }

    /// <summary>Opens a folder with one folder a person; reads names only.</summary>
    /// <exception cref="UniFaceException">It has no pictures, no people, or it is not plain which folder is the person.</exception>
    public static FolderDataset Open(string path)
    {
        List<string> pictures = [];
        try
        {
            EnumerationOptions options = new() { RecurseSubdirectories = true, MaxRecursionDepth = DeepestFolder, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = false };
            foreach (string file in Directory.EnumerateFiles(path, "*", options))
            {
                string relative = Path.GetRelativePath(path, file).Replace(Path.DirectorySeparatorChar, '/');
                if (PersonLayout.IsPicture(relative))
                {
                    pictures.Add(relative);
                }
            }

            PersonLayout layout = PersonLayout.Of(path, pictures);
            List<string> warnings = [.. layout.Warnings];
            string people = Path.GetDirectoryName(Path.GetDirectoryName(Path.Combine(path, pictures[layout.Sources[0]])))!;
            HashSet<string> known = [.. layout.People];
            string[] empty = [.. Directory.EnumerateDirectories(people).Select(folder => Path.GetFileName(folder)!)
                .Where(name => !known.Contains(name) && !name.StartsWith('.')).Order(StringComparer.Ordinal)];
            if (empty.Length > 0)
            {
                warnings.Add($"{Plural.Of(empty.Length, "folder")} without pictures, no people: {string.Join(", ", empty.Take(5))}{(empty.Length > 5 ? " ..." : "")}");
            }

            return new FolderDataset(path, pictures, layout, warnings);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"{path} cannot be listed: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public override byte[] Read(int index)
    {
        string file = Path.Combine(Source, paths[layout.Sources[index]]);
        FileSegment segment = FileSegment.Open(file, out Microsoft.Win32.SafeHandles.SafeFileHandle handle);
        using (handle)
        {
            return segment.Read(0, segment.Length, "picture");
        }
    }
}
