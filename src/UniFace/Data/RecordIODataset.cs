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
        if (indexFile is null)
        {
            throw new UniFaceException($"{records.Name} has no {Path.GetFileName(Path.ChangeExtension(records.Name, ".idx"))} beside it; a RecordIO set is found by its index.");
        }

        List<string> warnings = [];
        (long Key, long Offset)[] index = ReadIndex(indexFile, records);
        index = Pictures(index, indexFile, records);
        List<(long Key, long Offset, int Label)> pictures = new(index.Length);
        foreach ((long key, long offset) in index)
        {
            RecordHeader header = RecordIO.ReadHeader(records, offset);
            if (!(header.Label <= LargestExact) || header.Label != MathF.Floor(header.Label))
            {
                throw new UniFaceException(string.Create(CultureInfo.InvariantCulture, $"{records.Name}: record {key} at offset {offset} has the label {header.Label}, expected a whole number up to {LargestExact}."));
            }

            if (header.Label >= 0)
            {
                pictures.Add((key, offset, (int)header.Label));
            }
        }

        if (pictures.Count < index.Length)
        {
            warnings.Add($"{Plural.Of(index.Length - pictures.Count, "record")} with a label below 0 left out");
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
    private static (long Key, long Offset)[] Pictures((long Key, long Offset)[] index, FileSegment indexFile, FileSegment records)
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
        if (pictures.Length != (long)end - 1)
        {
            throw new UniFaceException($"{indexFile.Name} names {pictures.Length} of the {(long)end - 1} pictures that record 0 announces; the index is incomplete.");
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
