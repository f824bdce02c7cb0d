using Microsoft.Win32.SafeHandles;

namespace UniFace.Data;

/// <summary>A data set as a tar with one folder per person. Its headers are read once; pictures are read in place, nothing is unpacked.</summary>
public sealed class TarDataset : FaceDataset
{
    private readonly SafeFileHandle handle;
    private readonly FileSegment tar;
    private readonly PersonLayout layout;
    private readonly PictureListing listing;
    private readonly TarFile[] pictures;

    private TarDataset(string source, SafeFileHandle handle, FileSegment tar, PersonLayout layout, PictureListing listing, TarFile[] pictures)
    {
        Source = source;
        this.handle = handle;
        this.tar = tar;
        this.layout = layout;
        this.listing = listing;
        this.pictures = pictures;
        Warnings = listing.LeftOut.Count == 0 ? layout.Warnings : [.. layout.Warnings, LeftOutFile.Describe(listing.LeftOut)];
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

    /// <summary>Opens a tar with one folder per person, or of a RecordIO set (train.rec, train.idx, property).</summary>
    /// <param name="path">The tar.</param>
    /// <param name="personLevel">Which folder of a path is the person, from 1; null: the one that holds the pictures, if that is plain.</param>
    /// <exception cref="UniFaceException">It is no tar, is damaged, or holds no data set.</exception>
    public static FaceDataset Open(string path, int? personLevel = null)
    {
        FileSegment tar = FileSegment.Open(path, out SafeFileHandle handle);
        try
        {
            IReadOnlyList<TarFile> files = TarIndex.Read(tar);
            TarFile[] records = [.. files.Where(file => Path.GetExtension(file.Name) == ".rec" && !Path.GetFileName(file.Name).StartsWith('.'))];
            if (records.Length > 0)
            {
                TarFile record = records.Length == 1 ? records[0] : records.FirstOrDefault(file => Path.GetFileName(file.Name) == RecordIODataset.RecordFile);
                if (record.Name is null)
                {
                    throw new UniFaceException($"{path} holds {records.Length} .rec files and none is {RecordIODataset.RecordFile}; unpack it and give the .rec file.");
                }

                return RecordIODataset.Open(path, handle, Segment(record)!, Find(Path.ChangeExtension(record.Name, ".idx")), Find(Sibling(record.Name, "property")));
            }

            PictureListing listing = PictureListing.OfTar(tar, files);
            return new TarDataset(path, handle, tar, PersonLayout.Of(path, listing.Pictures, personLevel), listing, listing.In(files));

            FileSegment? Find(string name) => Segment(files.FirstOrDefault(file => file.Name == name));

            FileSegment? Segment(TarFile file) => file.Name is null ? null : tar.Slice($"{path}:{file.Name}", file.Offset, file.Length);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override byte[] Read(int index)
    {
        TarFile picture = pictures[layout.Sources[index]];
        return tar.Read(picture.Offset, picture.Length, picture.Name);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            handle.Dispose();
        }

        base.Dispose(disposing);
    }

    private static string Sibling(string name, string file) => name[..(name.LastIndexOf('/') + 1)] + file;
}
