using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace UniFace.Data;

/// <summary>
/// An InsightFace data set: train.rec (dmlc RecordIO), train.idx (key TAB offset) and property ("people,height,width").
/// Where record 0 announces ranges (flag 2), pictures are the keys below its first label and the identity records above are
/// passed over; else every key is a picture. Only the index says where a record lies; record 0 may be the last in the file.
/// A picture's label is its first label, so sets with the old [class, aligned] labels read alike. Labels need not be
/// contiguous: people are numbered in the order of their labels and are named by them; records with a label below 0 belong to no one.
/// </summary>
public sealed class RecordIODataset : FaceDataset
{
    /// <summary>The name that InsightFace gives the records.</summary>
    internal const string RecordFile = "train.rec";

    /// <summary>Float32 holds every whole number up to here; above, labels and keys in a record are rounded.</summary>
    private const float LargestExact = 1 << 24;

    /// <summary>Share of records that may be damaged; with more, the file or its index is another.</summary>
    private const double MostBroken = 0.01;

    private readonly SafeFileHandle handle;
    private readonly FileSegment records;
    private readonly long[] offsets;

    private RecordIODataset(string source, SafeFileHandle handle, FileSegment records, long[] offsets, IReadOnlyList<string> people, IReadOnlyList<FaceSample> samples, IReadOnlyList<string> warnings)
    {
        Source = source;
        this.handle = handle;
        this.records = records;
        this.offsets = offsets;
        People = people;
        Samples = samples;
        Warnings = warnings;
    }

    /// <inheritdoc/>
    public override string Source { get; }

    /// <summary>The labels of the set as text, in numeric order.</summary>
    public override IReadOnlyList<string> People { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<FaceSample> Samples { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Warnings { get; }

    /// <summary>The records of a folder that is a RecordIO set: train.rec, or its only .rec file where it holds no folders of people; else null.</summary>
    /// <exception cref="UniFaceException">It holds several.</exception>
    internal static string? FileIn(string folder)
    {
        string record = Path.Combine(folder, RecordFile);
        if (File.Exists(record))
        {
            return record;
        }

        string[] records = Directory.EnumerateDirectories(folder).Any() ? [] : [.. Directory.EnumerateFiles(folder, "*.rec").Order(StringComparer.Ordinal)];
        return records.Length < 2
            ? records.FirstOrDefault()
            : throw new UniFaceException($"{folder} holds {records.Length} .rec files and none is {RecordFile}; give one of them, e.g. {records[0]}.");
    }

    /// <summary>Opens a .rec file with the .idx of the same name (and, if there, the file "property") beside it.</summary>
    /// <exception cref="UniFaceException">The index is missing or does not fit, or a record is damaged.</exception>
    public static RecordIODataset Open(string path)
    {
        FileSegment records = FileSegment.Open(path, out SafeFileHandle handle);
        try
        {
            string index = Path.ChangeExtension(path, ".idx");
            string property = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "property");
            using SafeFileHandle? indexHandle = TryOpen(index, out FileSegment? indexFile);
            using SafeFileHandle? propertyHandle = TryOpen(property, out FileSegment? propertyFile);
            return Open(path, handle, records, indexFile, propertyFile);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Opens records that lie in a file of their own or in a tar; takes the handle once it succeeds.</summary>
    internal static RecordIODataset Open(string source, SafeFileHandle handle, FileSegment records, FileSegment? indexFile, FileSegment? propertyFile)
    {
        List<string> warnings = [];
        List<UniFaceException> broken = [];
        (long Key, long Offset)[] index;
        if (indexFile is null)
        {
            index = RecordIOScan.Index(records, broken);
            warnings.Add($"there is no {Path.GetFileName(Path.ChangeExtension(records.Name, ".idx"))} beside the records; the index was rebuilt from them");
        }
        else
        {
            index = ReadIndex(indexFile, records);
        }

        long last = index.Max(entry => entry.Offset);
        index = Pictures(index, indexFile?.Name ?? records.Name, records, broken.Count);
        List<(long Key, long Offset, int Label)> pictures = new(index.Length);
        foreach ((long key, long offset) in index)
        {
            RecordHeader header;
            try
            {
                header = RecordIO.ReadHeader(records, offset);
            }
            catch (UniFaceException e) when (offset < last || !RecordIO.HasMagic(records, offset))
            {
                // A last record that starts and does not end is another matter: the file is cut off.
                broken.Add(e);
                continue;
            }

            if (!(header.Label <= LargestExact) || header.Label != MathF.Floor(header.Label))
            {
                throw new UniFaceException(string.Create(CultureInfo.InvariantCulture, $"{records.Name}: record {key} at offset {offset} has the label {header.Label}, expected a whole number up to {LargestExact}."));
            }

            if (header.Label >= 0)
            {
                pictures.Add((key, offset, (int)header.Label));
            }
        }

        if (broken.Count > 0 && (broken.Count > Math.Max(1, index.Length * MostBroken) || broken.Count == index.Length))
        {
            throw broken[0];
        }

        if (broken.Count > 0)
        {
            warnings.Add($"{Plural.Of(broken.Count, "damaged record is", "damaged records are")} not used; the first: {broken[0].Message}");
        }

        int negative = index.Length - pictures.Count - (indexFile is null ? 0 : broken.Count);
        if (negative > 0)
        {
            warnings.Add($"{Plural.Of(negative, "record")} with a label below 0 left out");
        }

        if (pictures.Count == 0)
        {
            throw new UniFaceException($"{records.Name} holds no pictures.");
        }

        int[] labels = [.. pictures.Select(picture => picture.Label).Distinct().Order()];
        if (labels[^1] != labels.Length - 1)
        {
            warnings.Add($"labels are not 0 to {labels.Length - 1} (largest is {labels[^1]}); people are numbered in their order and named by them");
        }

        CheckProperty(propertyFile, labels.Length, warnings);
        string[] people = [.. labels.Select(label => label.ToString(CultureInfo.InvariantCulture))];
        FaceSample[] samples = [.. pictures.Select(picture => new FaceSample(string.Create(CultureInfo.InvariantCulture, $"record {picture.Key}"), Array.BinarySearch(labels, picture.Label)))];
        return new RecordIODataset(source, handle, records, [.. pictures.Select(picture => picture.Offset)], people, samples, warnings);
    }

    /// <inheritdoc/>
    public override byte[] Read(int index)
    {
        byte[] payload = RecordIO.ReadPayload(records, offsets[index]);
        RecordIO.ParseHeader(records, offsets[index], payload, out int imageStart);
        return payload[imageStart..];
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

    private static SafeFileHandle? TryOpen(string path, out FileSegment? segment)
    {
        segment = null;
        if (!File.Exists(path))
        {
            return null;
        }

        segment = FileSegment.Open(path, out SafeFileHandle handle);
        return handle;
    }

    /// <summary>"key TAB offset" lines, sorted by key.</summary>
    private static (long Key, long Offset)[] ReadIndex(FileSegment indexFile, FileSegment records)
    {
        List<(long Key, long Offset)> entries = [];
        foreach ((int number, string text) in indexFile.Lines())
        {
            if (string.IsNullOrWhiteSpace(text))
            {
                continue;
            }

            string[] fields = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length != 2
                || !long.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out long key)
                || !long.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out long offset))
            {
                throw new UniFaceException($"{indexFile.Name}: line {number} is '{(text.Length > 40 ? text[..40] : text)}', expected 'key TAB offset'.");
            }

            if (offset > records.Length - 8)
            {
                throw new UniFaceException($"{indexFile.Name}: line {number} points to offset {offset}, {records.Name} has {records.Length} bytes; they do not belong together, or the records are truncated.");
            }

            entries.Add((key, offset));
        }

        if (entries.Count == 0)
        {
            throw new UniFaceException($"{indexFile.Name} is empty; expected lines 'key TAB offset'.");
        }

        entries.Sort();
        for (int i = 1; i < entries.Count; i++)
        {
            if (entries[i].Key == entries[i - 1].Key)
            {
                throw new UniFaceException($"{indexFile.Name}: key {entries[i].Key} stands twice.");
            }
        }

        return [.. entries];
    }

    /// <summary>The keys that are pictures: below record 0's first label where it announces ranges, else all.</summary>
    private static (long Key, long Offset)[] Pictures((long Key, long Offset)[] index, string indexName, FileSegment records, int broken)
    {
        if (index[0].Key != 0)
        {
            return index;
        }

        RecordHeader first = RecordIO.ReadHeader(records, index[0].Offset);
        if (first.Flag == 0 || first.ImageLength > 0)
        {
            return index;
        }

        float end = first.Label;
        if (first.Flag < 2 || !(end >= 1) || end != MathF.Floor(end))
        {
            throw new UniFaceException(string.Create(CultureInfo.InvariantCulture, $"{records.Name}: record 0 at offset {index[0].Offset} announces {first.Flag} labels, the first {end}; expected 2, the first being the key after the last picture."));
        }

        if (end >= LargestExact)
        {
            // The number is rounded: what is empty is an identity record.
            return [.. index.Skip(1).Where(entry => RecordIO.ReadHeader(records, entry.Offset).ImageLength > 0)];
        }

        (long Key, long Offset)[] pictures = [.. index.Skip(1).Where(entry => entry.Key < (long)end)];
        if (pictures.Length > (long)end - 1 || pictures.Length + broken < (long)end - 1)
        {
            throw new UniFaceException($"{indexName} names {pictures.Length} of the {(long)end - 1} pictures that record 0 announces; the index is incomplete.");
        }

        return pictures;
    }

    private static void CheckProperty(FileSegment? propertyFile, int people, List<string> warnings)
    {
        if (propertyFile is null)
        {
            warnings.Add("there is no file 'property' beside the records; people were counted from the labels");
            return;
        }

        string text = propertyFile.Lines().Select(line => line.Text.Trim()).FirstOrDefault(line => line.Length > 0) ?? "";
        string[] fields = text.Split(',');
        if (fields.Length != 3 || !int.TryParse(fields[0], NumberStyles.None, CultureInfo.InvariantCulture, out int announced))
        {
            warnings.Add($"property is '{(text.Length > 40 ? text[..40] : text)}', expected 'people,height,width'; people were counted from the labels");
        }
        else if (announced != people)
        {
            warnings.Add($"property announces {Plural.Of(announced, "person")}, the records hold {people}; the records are believed");
        }
    }
}
