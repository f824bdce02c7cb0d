using UniFace.Data.Indexing;

namespace UniFace.Data;

/// <summary>A data set with one folder per person, in a folder or an archive. The folder's name is the person's name.</summary>
internal sealed class PhotoDataset : FaceDataset
{
    private readonly PhotoSet photos;
    private readonly int[] sources;

    /// <summary>Takes over the photos, and disposes them if they are not a data set.</summary>
    /// <param name="photos">The photos.</param>
    /// <param name="personLevel">Which folder of a path is the person, from 1; null: the one that holds the images, if that is unambiguous.</param>
    /// <exception cref="UniFaceException">There are no images or people, or it is ambiguous which folder is the person.</exception>
    public PhotoDataset(PhotoSet photos, int? personLevel)
        : base(photos)
    {
        this.photos = photos;
        try
        {
            PersonLayout layout = PersonLayout.Resolve(photos.Source, photos.Names, personLevel);
            string[] empty = personLevel is null or 1 && photos.Archive is null && Directory.Exists(photos.Source) ? EmptyFolders(photos.Source, layout) : [];
            List<string> warnings = [.. layout.Warnings];
            if (empty.Length > 0)
            {
                string names = string.Join(", ", empty.Take(5)) + (empty.Length > 5 ? " ..." : "");
                warnings.Add($"{Plural.Format(empty.Length, "folder")} without images: {names}");
            }

            if (photos.Skipped.Count > 0)
            {
                warnings.Add(SkippedFile.Describe(photos.Skipped));
            }

            sources = layout.Sources;
            Source = photos.Source;
            People = layout.People;
            Samples = layout.Samples;
            Warnings = warnings;
            Skipped = photos.Skipped;
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

    /// <inheritdoc/>
    public override long SizeOf(int index) => photos.SizeOf(sources[index]);

    /// <inheritdoc/>
    internal override SampleLayout? Layout => photos.Archive is { Parts.Count: > 0 } archive
        ? new SampleLayout(archive.Parts, i => (photos.ArchiveFiles[sources[i]].Part, photos.ArchiveFiles[sources[i]].Offset))
        : null;

    private static string[] EmptyFolders(string source, PersonLayout layout) =>
    [
        .. Directory.EnumerateDirectories(Path.Combine(source, layout.Shared)).Select(folder => Path.GetFileName(folder)!)
            .Where(name => !name.StartsWith('.')).Except(layout.People).Order(StringComparer.Ordinal),
    ];
}
