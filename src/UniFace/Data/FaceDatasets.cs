namespace UniFace.Data;

/// <summary>Opens a data set, whatever holds it.</summary>
public static class FaceDatasets
{
    /// <summary>The overview that 'uniface align' leaves beside the people; it is no picture of the set.</summary>
    public const string ContactSheet = "contact-sheet.jpg";

    /// <summary>How a data set looks, for errors.</summary>
    internal const string Expected =
        "a data set is a folder with one folder a person (SET/Ann/1.jpg), an InsightFace RecordIO set (train.rec, train.idx, property), or a tar of either";

    /// <summary>
    /// Opens a folder with a folder a person, an InsightFace RecordIO set (the folder that holds train.rec, or the .rec itself),
    /// or a tar of either. Nothing is unpacked; pictures are read when asked for. The caller disposes it.
    /// </summary>
    /// <param name="path">A folder, a .rec file or a .tar file.</param>
    /// <exception cref="UniFaceException">There is no data set at the path, or it is damaged.</exception>
    public static FaceDataset Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (Directory.Exists(path))
        {
            string record = Path.Combine(path, RecordIODataset.RecordFile);
            return File.Exists(record) ? RecordIODataset.Open(record) : FolderDataset.Open(path);
        }

        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path} does not exist; {Expected}.");
        }

        return Path.GetExtension(path).ToUpperInvariant() switch
        {
            ".REC" => RecordIODataset.Open(path),
            ".TAR" => TarDataset.Open(path),
            ".IDX" => throw new UniFaceException($"{path} is the index of a RecordIO set; give the .rec file beside it, or their folder."),
            _ => LooksLikeTar(path) ? TarDataset.Open(path) : throw new UniFaceException($"{path} is no data set; {Expected}."),
        };
    }

    private static bool LooksLikeTar(string path)
    {
        using FileStream stream = File.OpenRead(path);
        byte[] header = new byte[262];
        return stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length && header.AsSpan(257, 5).SequenceEqual("ustar"u8);
    }
}
