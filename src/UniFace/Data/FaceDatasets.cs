namespace UniFace.Data;

/// <summary>Opens data sets of every supported kind.</summary>
internal static class FaceDatasets
{
    /// <summary>The overview that 'uniface align' writes beside the people; it is not an image of the set.</summary>
    public const string ContactSheet = "contact-sheet.jpg";

    /// <summary>What a data set looks like, for errors.</summary>
    internal const string Expected =
        "a data set is a folder with one folder per person (SET/Ann/1.jpg), an InsightFace RecordIO set (train.rec, train.idx, property), " +
        "a tar, tgz or zip of either, a folder of tars, or an MXNet list (.lst)";

    /// <summary>
    /// Opens a folder with one folder per person, an InsightFace RecordIO set (its folder or its .rec file), a tar of either, a tgz or zip
    /// with one folder per person, a folder of tars (the shards of one set), or an MXNet list of images. Images are read on demand. The caller
    /// disposes the set.
    /// </summary>
    /// <param name="path">A folder or a file.</param>
    /// <param name="personLevel">
    /// Which folder of an image's path is the person, from 1; null: the folder that holds the images, if that is unambiguous.
    /// </param>
    /// <exception cref="UniFaceException">There is no data set at the path, or it is damaged.</exception>
    public static FaceDataset Open(string path, int? personLevel = null) => Open(path, personLevel, useIndex: true);

    /// <summary>Opens a data set without its index (<see cref="Indexing.DatasetIndex"/>).</summary>
    internal static FaceDataset OpenUnindexed(string path, int? personLevel = null) => Open(path, personLevel, useIndex: false);

    private static FaceDataset Open(string path, int? personLevel, bool useIndex)
    {
        if (personLevel < 1)
        {
            throw new UniFaceException($"the person's folder is given as level {personLevel}; expected 1 or more (1: the top folders of {path})");
        }

        if (Directory.Exists(path))
        {
            return RecordIODataset.FindFile(path) is string record ? Indexed(record, record) ?? RecordIODataset.Open(record)
                : TarShards.Find(path, ImageListing.IsImageName) is { Length: > 0 } shards
                    ? Indexed(path, shards) ?? new PhotoDataset(PhotoSet.OpenArchive(path, TarShards.Open(path, shards)), personLevel)
                : new PhotoDataset(PhotoSet.OpenFolder(path), personLevel);
        }

        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path} does not exist; {Expected}");
        }

        switch (Path.GetExtension(path).ToUpperInvariant())
        {
            case ".REC":
                return Indexed(path, path) ?? RecordIODataset.Open(path);
            case ".LST":
                return new ImageListDataset(path);
            case ".IDX":
                throw new UniFaceException($"{path} is the index of a RecordIO set; give the .rec file beside it, or their folder");
        }

        if (Indexed(path, path) is FaceDataset indexed)
        {
            return indexed;
        }

        if (PhotoArchive.TryOpen(path) is PhotoArchive archive)
        {
            return OpenArchive(path, archive, personLevel);
        }

        ImageFormat format = ImageFormat.Detect(FileHeader.Read(path));
        throw new UniFaceException(format == ImageFormat.Unknown
            ? $"{path} is not a data set; {Expected}"
            : $"{path} is {format.Description}; if it holds a data set, unpack it first; {Expected}");

        FaceDataset? Indexed(string set, params string[] parts) => useIndex ? IndexedDataset.TryOpen(path, set, parts, personLevel) : null;
    }

    private static FaceDataset OpenArchive(string path, PhotoArchive archive, int? personLevel)
    {
        try
        {
            string[] records = [.. archive.Files.Select(file => file.Name)
                .Where(name => Path.GetExtension(name) == ".rec" && !Path.GetFileName(name).StartsWith('.'))];
            if (records.Length == 0)
            {
                return new PhotoDataset(PhotoSet.OpenArchive(path, archive), personLevel);
            }

            string? record = records.Length == 1 ? records[0] : records.FirstOrDefault(name => Path.GetFileName(name) == RecordIODataset.RecordFile);
            return record is not null && archive is TarArchive tar
                ? RecordIODataset.Open(path, tar, record)
                : throw new UniFaceException(record is null
                    ? $"{path} holds {records.Length} .rec files and none is {RecordIODataset.RecordFile}; unpack it and give the .rec file"
                    : $"{path} holds {record}; a RecordIO set is read from a tar only: unpack it first");
        }
        catch
        {
            archive.Dispose();
            throw;
        }
    }
}
