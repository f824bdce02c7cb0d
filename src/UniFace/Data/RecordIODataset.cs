using UniFace.Data.Indexing;
using UniFace.Data.RecordIO;

namespace UniFace.Data;

/// <summary>
/// An InsightFace data set: train.rec (dmlc RecordIO), train.idx (key TAB offset) and property ("people,height,width"). If record 0
/// announces ranges (flag 2), the images are the keys below its first label, and the identity records above are skipped; otherwise every
/// key is an image. Records are found through the index only. An image's person is its first label, so sets with the old [class, aligned]
/// labels are read too. Records with a label below 0 are skipped.
/// </summary>
internal sealed class RecordIODataset : FaceDataset
{
    /// <summary>InsightFace's name for the records.</summary>
    internal const string RecordFile = "train.rec";

    /// <summary>Fraction of records that may be damaged; above it, the file or its index is the wrong one.</summary>
    private const double MaxDamagedShare = 0.01;

    private readonly FileSegment records;
    private readonly (long Key, long Offset)[] index;
    private readonly int[] sizes;
    private readonly bool isFile;

    private RecordIODataset(string source, IDisposable owner, FileSegment records, FileSegment? indexFile, FileSegment? propertyFile)
        : base(owner)
    {
        this.records = records;
        isFile = ReferenceEquals(owner, records);
        Source = source;
        List<string> warnings = [];
        (index, int[] labels, sizes) = ReadImages(records, indexFile, warnings);
        LabelPeople people = new(labels);
        warnings.AddRange(people.Warnings);
        CheckProperty(propertyFile, people.Names.Count, warnings);
        for (int i = 0; i < labels.Length; i++)
        {
            labels[i] = people.IndexOf(labels[i]);
        }

        People = people.Names;
        (long Key, long Offset)[] entries = index;
        Samples = new SampleList(labels.Length, i => labels[i], i => RecordName(entries[i].Key));
        Warnings = warnings;
    }

    /// <summary>The name of the sample in the record of a key.</summary>
    internal static string RecordName(long key) => Invariant($"record {key}");

    /// <summary>
    /// The records of a folder that is a RecordIO set: train.rec, or the only .rec file of a folder without subfolders; otherwise null.
    /// </summary>
    /// <exception cref="UniFaceException">It holds several.</exception>
    public static string? FindFile(string folder)
    {
        string record = Path.Combine(folder, RecordFile);
        if (File.Exists(record))
        {
            return record;
        }

        string[] records = Directory.EnumerateDirectories(folder).Any() ? [] : [.. Directory.EnumerateFiles(folder, "*.rec").Order(StringComparer.Ordinal)];
        return records.Length < 2
            ? records.FirstOrDefault()
            : throw new UniFaceException($"{folder} holds {records.Length} .rec files and none is {RecordFile}; give one of them, e.g. {records[0]}");
    }

    /// <summary>Opens a .rec file with the .idx of the same name beside it, and the file "property" if there is one.</summary>
    /// <exception cref="UniFaceException">The index does not fit, or a record is damaged.</exception>
    public static RecordIODataset Open(string path)
    {
        FileSegment records = FileSegment.Open(path);
        try
        {
            using FileSegment? index = TryOpen(Path.ChangeExtension(path, ".idx"));
            using FileSegment? property = TryOpen(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "property"));
            return new RecordIODataset(path, records, records, index, property);
        }
        catch
        {
            records.Dispose();
            throw;
        }

        static FileSegment? TryOpen(string beside) => File.Exists(beside) ? FileSegment.Open(beside) : null;
    }

    /// <summary>Opens the records in a tar, with the index and property beside them; takes over the tar if it succeeds.</summary>
    public static RecordIODataset Open(string source, TarArchive tar, string record)
    {
        Dictionary<string, ArchiveFile> files = tar.Files.ToDictionary(file => file.Name);
        return new RecordIODataset(
            source, tar, Find(record)!, Find(Path.ChangeExtension(record, ".idx")), Find(record[..(record.LastIndexOf('/') + 1)] + "property"));

        FileSegment? Find(string name) => files.TryGetValue(name, out ArchiveFile file) ? tar.Segment(file) : null;
    }

    /// <inheritdoc/>
    public override byte[] Read(int index) => RecordReader.ReadImage(records, this.index[index].Offset);

    /// <inheritdoc/>
    public override long SizeOf(int index) => sizes[index];

    /// <inheritdoc/>
    internal override SampleLayout? Layout =>
        isFile ? new SampleLayout([records.Name], i => (0, index[i].Offset)) { KeyOf = i => index[i].Key } : null;

    /// <summary>Keys and offsets of the images, their labels as stored, and their sizes in bytes.</summary>
    private static ((long Key, long Offset)[] Index, int[] Labels, int[] Sizes) ReadImages(FileSegment records, FileSegment? indexFile, List<string> warnings)
    {
        List<UniFaceException> broken = [];
        (long Key, long Offset)[] index;
        if (indexFile is null)
        {
            index = RecordScan.Index(records, broken);
            string missing = Path.GetFileName(Path.ChangeExtension(records.Name, ".idx"));
            warnings.Add($"there is no {missing} beside the records; the index was rebuilt from them");
        }
        else
        {
            index = ReadIndex(indexFile, records);
        }

        long last = index.Max(entry => entry.Offset);
        index = SelectImages(index, indexFile?.Name ?? records.Name, records, broken.Count);
        int[] labels = new int[index.Length], sizes = new int[index.Length];
        int images = 0, negative = 0;
        foreach ((long key, long offset) in index)
        {
            RecordHeader header;
            try
            {
                header = RecordReader.ReadHeader(records, offset, out _);
            }
            catch (UniFaceException e) when (offset < last || !RecordReader.HasMagic(records, offset))
            {
                // Not for a last record that begins and does not end: then the file is truncated.
                broken.Add(e);
                continue;
            }

            if (!(header.Label <= LabelPeople.MaxExactLabel) || header.Label != MathF.Floor(header.Label))
            {
                throw new UniFaceException(Invariant(
                    $"{records.Name}: record {key} at offset {offset} has the label {header.Label}, ") +
                    $"expected a whole number up to {LabelPeople.MaxExactLabel}");
            }

            if (header.Label < 0)
            {
                negative++;
            }
            else
            {
                labels[images] = (int)header.Label;
                sizes[images] = (int)header.ImageLength;
                index[images++] = (key, offset); // in place: never ahead of the entry that is read
            }
        }

        if (broken.Count > 0)
        {
            warnings.Add(broken.Count > Math.Max(1, index.Length * MaxDamagedShare) || broken.Count == index.Length
                ? throw broken[0]
                : $"{Plural.Format(broken.Count, "damaged record is", "damaged records are")} not used; the first: {broken[0].Message}");
        }

        if (negative > 0)
        {
            warnings.Add($"{Plural.Format(negative, "record")} with a label below 0 skipped");
        }

        if (images == 0)
        {
            throw new UniFaceException($"{records.Name} contains no images");
        }

        if (images < index.Length)
        {
            Array.Resize(ref index, images);
            Array.Resize(ref labels, images);
            Array.Resize(ref sizes, images);
        }

        return (index, labels, sizes);
    }

    /// <summary>"key TAB offset" lines, sorted by key.</summary>
    private static (long Key, long Offset)[] ReadIndex(FileSegment indexFile, FileSegment records)
    {
        List<(long Key, long Offset)> entries = [];
        foreach ((int number, string text) in indexFile.Lines())
        {
            string[] fields = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length != 2
                || !long.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out long key)
                || !long.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out long offset))
            {
                throw new UniFaceException($"{indexFile.Name}: line {number} is '{text.Shorten(40)}', expected 'key TAB offset'");
            }

            if (offset > records.Length - 8)
            {
                throw new UniFaceException(
                    $"{indexFile.Name}: line {number} points to offset {offset}, {records.Name} has {records.Length} bytes; " +
                    "they do not belong together, or the records are truncated");
            }

            entries.Add((key, offset));
        }

        entries.Sort();
        for (int i = 1; i < entries.Count; i++)
        {
            if (entries[i].Key == entries[i - 1].Key)
            {
                throw new UniFaceException($"{indexFile.Name}: key {entries[i].Key} occurs twice");
            }
        }

        return entries.Count > 0
            ? [.. entries]
            : throw new UniFaceException($"{indexFile.Name} is empty; expected lines 'key TAB offset'");
    }

    /// <summary>The keys that are images: those below record 0's first label if it announces ranges, otherwise all.</summary>
    private static (long Key, long Offset)[] SelectImages((long Key, long Offset)[] index, string indexName, FileSegment records, int broken)
    {
        if (index[0].Key != 0)
        {
            return index;
        }

        RecordHeader first = RecordReader.ReadHeader(records, index[0].Offset, out _);
        if (first.Flag == 0 || first.ImageLength > 0)
        {
            return index;
        }

        float end = first.Label;
        if (first.Flag < 2 || !(end >= 1) || end != MathF.Floor(end))
        {
            throw new UniFaceException(Invariant(
                $"{records.Name}: record 0 at offset {index[0].Offset} announces {first.Flag} labels, the first {end}; ") +
                "expected 2, the first being the key after the last image");
        }

        if (end >= LabelPeople.MaxExactLabel)
        {
            // The number is rounded; identity records are recognized by having no image.
            return [.. index.Skip(1).Where(entry => RecordReader.ReadHeader(records, entry.Offset, out _).ImageLength > 0)];
        }

        long announced = (long)end - 1;
        (long Key, long Offset)[] images = [.. index.Skip(1).Where(entry => entry.Key <= announced)];
        return images.Length <= announced && images.Length + broken >= announced
            ? images
            : throw new UniFaceException($"{indexName} names {images.Length} of the {announced} images that record 0 announces; the index is incomplete");
    }

    private static void CheckProperty(FileSegment? propertyFile, int people, List<string> warnings)
    {
        if (propertyFile is null)
        {
            warnings.Add("the file 'property' is missing beside the records; people were counted from the labels");
            return;
        }

        string text = propertyFile.Lines().FirstOrDefault().Text?.Trim() ?? "";
        if (text.Split(',') is not [string first, _, _] || !int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int announced))
        {
            warnings.Add($"property is '{text.Shorten(40)}', expected 'people,height,width'; people were counted from the labels");
        }
        else if (announced != people)
        {
            warnings.Add($"property announces {Plural.Format(announced, "person")}, the records hold {people}; the records are used");
        }
    }
}
