using UniFace.Faces;

namespace UniFace.Data;

/// <summary>Opens a data set, whatever holds it.</summary>
public static class FaceDatasets
{
    /// <summary>The overview that 'uniface align' leaves beside the people; it is no picture of the set.</summary>
    public const string ContactSheet = "contact-sheet.jpg";

    /// <summary>How a data set looks, for errors.</summary>
    internal const string Expected =
        "a data set is a folder with one folder per person (SET/Ann/1.jpg), an InsightFace RecordIO set (train.rec, train.idx, property), or a tar of either";

    /// <summary>
    /// Opens a folder with one folder per person, an InsightFace RecordIO set (the folder that holds train.rec, or the .rec itself),
    /// or a tar of either. Nothing is unpacked; pictures are read when asked for. The caller disposes it.
    /// </summary>
    /// <param name="path">A folder, a .rec file or a .tar file.</param>
    /// <param name="personLevel">Which folder of a picture's path is the person, from 1; null: the one that holds the pictures, if that is plain.</param>
    /// <exception cref="UniFaceException">There is no data set at the path, or it is damaged.</exception>
    public static FaceDataset Open(string path, int? personLevel = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (personLevel < 1)
        {
            throw new UniFaceException($"the person's folder was said to be at level {personLevel}; expected 1 or more (1: the top folders of {path}).");
        }

        if (Directory.Exists(path))
        {
            return RecordIODataset.FileIn(path) is string record ? RecordIODataset.Open(record) : FolderDataset.Open(path, personLevel);
        }

        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path} does not exist; {Expected}.");
        }

        switch (Path.GetExtension(path).ToUpperInvariant())
        {
            case ".REC":
                return RecordIODataset.Open(path);
            case ".TAR":
                return TarDataset.Open(path, personLevel);
            case ".IDX":
                throw new UniFaceException($"{path} is the index of a RecordIO set; give the .rec file beside it, or their folder.");
        }

        ImageFormat format = ImageFormat.Detect(PictureListing.Head(path));
        return format.Name == "tar" ? TarDataset.Open(path, personLevel)
            : format == ImageFormat.Unknown ? throw new UniFaceException($"{path} is no data set; {Expected}.")
            : throw new UniFaceException($"{path} is {format.Description}; if it holds a data set, unpack it first; {Expected}.");
    }
}
