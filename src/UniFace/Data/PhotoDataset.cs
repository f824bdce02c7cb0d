namespace UniFace.Data;

/// <summary>A data set with one folder per person, in a folder or an archive. The folder's name is the person's name.</summary>
internal sealed class PhotoDataset : FaceDataset
{
    private readonly PhotoSet photos;
    private readonly int[] sources;

    /// <summary>Takes over the photos, and disposes them if they are not a data set.</summary>
    /// <param name="photos">The photos.</param>
    /// <param name="personLevel">Which folder of a path is the person, from 1; null: the one that holds the pictures, if that is unambiguous.</param>
    /// <exception cref="UniFaceException">There are no pictures or people, or it is ambiguous which folder is the person.</exception>
    public PhotoDataset(PhotoSet photos, int? personLevel)
        : base(photos)
    {
        this.photos = photos;
        try
        {
            PersonLayout layout = PersonLayout.Resolve(photos.Source, photos.Names, personLevel);
            string[] empty = personLevel is null or 1 && Directory.Exists(photos.Source) ? EmptyFolders(photos.Source, layout) : [];
            List<string> warnings = [.. layout.Warnings];
            if (empty.Length > 0)
            {
                string names = string.Join(", ", empty.Take(5)) + (empty.Length > 5 ? " ..." : "");
                warnings.Add($"{Plural.Format(empty.Length, "folder")} without pictures: {names}");
            }

            if (photos.LeftOut.Count > 0)
            {
                warnings.Add(LeftOutFile.Describe(photos.LeftOut));
            }

            sources = layout.Sources;
            Source = photos.Source;
            People = layout.People;
            Samples = layout.Samples;
            Warnings = warnings;
            LeftOut = photos.LeftOut;
            IgnoredFiles = photos.IgnoredFiles;
        }
        catch
        {
            photos.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override byte[] Read(int index) => photos.ReadOrEmpty(sources[index]);

    private static string[] EmptyFolders(string source, PersonLayout layout) =>
    [
        .. Directory.EnumerateDirectories(Path.Combine(source, layout.Shared)).Select(folder => Path.GetFileName(folder)!)
            .Where(name => !name.StartsWith('.')).Except(layout.People).Order(StringComparer.Ordinal),
    ];
}
