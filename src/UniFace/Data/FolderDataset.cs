namespace UniFace.Data;

/// <summary>A data set as a folder with one folder per person. The folder's name is the person's; files that are no pictures are left out and named.</summary>
public sealed class FolderDataset : FaceDataset
{
    private readonly PersonLayout layout;
    private readonly PictureListing listing;

    private FolderDataset(string source, PictureListing listing, PersonLayout layout, IReadOnlyList<string> warnings)
    {
        Source = source;
        this.listing = listing;
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

    /// <inheritdoc/>
    public override IReadOnlyList<LeftOutFile> LeftOut => listing.LeftOut;

    /// <inheritdoc/>
    public override int IgnoredFiles => listing.Ignored;

    /// <summary>Opens a folder with one folder per person; reads names, and the first bytes of files whose extension is not known.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="personLevel">Which folder below it is the person, from 1; null: the one that holds the pictures, if that is plain.</param>
    /// <exception cref="UniFaceException">It has no pictures, no people, or it is not plain which folder is the person.</exception>
    public static FolderDataset Open(string path, int? personLevel = null)
    {
        PictureListing listing = PictureListing.OfFolder(path);
        PersonLayout layout = PersonLayout.Of(path, listing.Pictures, personLevel);
        List<string> warnings = [.. layout.Warnings];
        HashSet<string> known = [.. layout.People];
        string[] empty = [.. Directory.EnumerateDirectories(Path.Combine(path, layout.Shared)).Select(folder => Path.GetFileName(folder)!)
            .Where(name => personLevel is null or 1 && !known.Contains(name) && !name.StartsWith('.')).Order(StringComparer.Ordinal)];
        if (empty.Length > 0)
        {
            warnings.Add($"{Plural.Of(empty.Length, "folder")} without pictures, no people: {string.Join(", ", empty.Take(5))}{(empty.Length > 5 ? " ..." : "")}");
        }

        if (listing.LeftOut.Count > 0)
        {
            warnings.Add(LeftOutFile.Describe(listing.LeftOut));
        }

        return new FolderDataset(path, listing, layout, warnings);
    }

    /// <inheritdoc/>
    public override byte[] Read(int index)
    {
        string file = Path.Combine(Source, listing.Pictures[layout.Sources[index]]);
        if (PictureListing.IsEmpty(file))
        {
            return [];
        }

        FileSegment segment = FileSegment.Open(file, out Microsoft.Win32.SafeHandles.SafeFileHandle handle);
        using (handle)
        {
            return segment.Read(0, segment.Length, "picture");
        }
    }
}
