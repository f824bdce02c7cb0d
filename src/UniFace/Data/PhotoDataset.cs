namespace UniFace.Data;

/// <summary>A data set with one folder per person, in a folder or an archive. The folder's name is the person's name.</summary>
internal sealed class PhotoDataset : FaceDataset
{
    private readonly PhotoSet photos;
    private readonly PersonLayout layout;

    /// <summary>Takes over the photos, and disposes them if they are not a data set.</summary>
    /// <param name="photos">The photos.</param>
    /// <param name="personLevel">Which folder of a path is the person, from 1; null: the one that holds the pictures, if that is unambiguous.</param>
    /// <exception cref="UniFaceException">There are no pictures or people, or it is ambiguous which folder is the person.</exception>
    public PhotoDataset(PhotoSet photos, int? personLevel)
    {
        this.photos = photos;
        try
        {
            layout = PersonLayout.Resolve(photos.Source, photos.Names, personLevel);
            string[] empty = personLevel is null or 1 && Directory.Exists(photos.Source) ? EmptyFolders() : [];
            Warnings =
            [
                .. layout.Warnings,
                .. empty.Length == 0 ? Array.Empty<string>()
                    : [$"{Plural.Format(empty.Length, "folder")} without pictures: {string.Join(", ", empty.Take(5))}{(empty.Length > 5 ? " ..." : "")}"],
                .. photos.LeftOut.Count == 0 ? Array.Empty<string>() : [LeftOutFile.Describe(photos.LeftOut)],
            ];
        }
        catch
        {
            photos.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override string Source => photos.Source;

    /// <inheritdoc/>
    public override IReadOnlyList<string> People => layout.People;

    /// <inheritdoc/>
    public override IReadOnlyList<FaceSample> Samples => layout.Samples;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Warnings { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<LeftOutFile> LeftOut => photos.LeftOut;

    /// <inheritdoc/>
    public override int IgnoredFiles => photos.IgnoredFiles;

    /// <inheritdoc/>
    public override byte[] Read(int index) => photos.ReadOrEmpty(layout.Sources[index]);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            photos.Dispose();
        }

        base.Dispose(disposing);
    }

    private string[] EmptyFolders()
    {
        HashSet<string> known = [.. layout.People];
        return [.. Directory.EnumerateDirectories(Path.Combine(photos.Source, layout.Shared)).Select(folder => Path.GetFileName(folder)!)
            .Where(name => !known.Contains(name) && !name.StartsWith('.')).Order(StringComparer.Ordinal)];
    }
}
