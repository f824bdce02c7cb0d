using UniFace.Data.Indexing;
using UniFace.Data.RecordIO;

namespace UniFace.Data;

/// <summary>
/// A set whose index was written by 'uniface data index': a RecordIO file, a tar, or a folder of tars. It opens without reading the files, keeps no text or
/// object per sample, and has the samples, people and names of the set that was indexed.
/// </summary>
internal sealed class IndexedDataset : FaceDataset
{
    /// <summary>Name of the index of a folder of tars.</summary>
    public const string ShardsIndex = "shards" + DatasetIndex.Extension;

    /// <summary>Records whose labels are compared with the index when it is opened.</summary>
    private const int CheckedRecords = 64;

    private readonly DatasetIndex index;
    private readonly List<FileSegment> files;

    private IndexedDataset(string source, DatasetIndex index, OpenFiles open)
        : base(open)
    {
        this.index = index;
        files = open.Files;
        Source = source;
        People = index.People;
        Samples = new SampleList(
            index.Count, index.LabelOf, index.IsRecords ? i => RecordIODataset.RecordName(index.KeyOf(i)) : index.NameOf);
    }

    /// <summary>Where the index of a set is: beside its file, or in its folder of tars.</summary>
    public static string PathOf(string path) => Directory.Exists(path) ? Path.Combine(path, ShardsIndex)
        : Path.GetExtension(path).Equals(".rec", StringComparison.OrdinalIgnoreCase) ? Path.ChangeExtension(path, DatasetIndex.Extension)
        : path + DatasetIndex.Extension;

    /// <summary>Opens a set by its index.</summary>
    /// <param name="source">The set, as the user named it.</param>
    /// <param name="path">Its file, or its folder of tars.</param>
    /// <param name="parts">The file itself, or the tars of the folder; the index must name these and no others.</param>
    /// <param name="personLevel">Which folder of a path is the person, or null.</param>
    /// <returns>Null if it has no index, or one for another level.</returns>
    /// <exception cref="UniFaceException">The index is damaged, or the set has changed since it was built.</exception>
    public static IndexedDataset? TryOpen(string source, string path, IReadOnlyList<string> parts, int? personLevel = null)
    {
        string indexPath = PathOf(path);
        if (!File.Exists(indexPath))
        {
            return null;
        }

        OpenFiles open = new();
        try
        {
            DatasetIndex index = DatasetIndex.Open(indexPath);
            open.Index = index;
            if (!index.IsRecords && index.PersonLevel != personLevel)
            {
                open.Dispose();
                return null;
            }

            if (!index.Files.Select(file => file.Name).SequenceEqual(parts.Select(part => Path.GetFileName(part)!)))
            {
                throw Changed(indexPath, path, $"it is an index of {index.Files[0].Name}{(index.Files.Count > 1 ? " and other files" : "")}");
            }

            for (int part = 0; part < parts.Count; part++)
            {
                FileSegment file = FileSegment.Open(parts[part]);
                open.Files.Add(file);
                if (file.Length != index.Files[part].Length || !DatasetIndex.HashEdges(file).AsSpan().SequenceEqual(index.EdgesOf(part)))
                {
                    throw Changed(indexPath, path, $"{file.Name} is another file");
                }
            }

            IndexedDataset dataset = new(source, index, open);
            dataset.RequireLabels(indexPath, path);
            return dataset;
        }
        catch
        {
            open.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override byte[] Read(int index)
    {
        (int file, long offset) = this.index.PositionOf(index);
        return this.index.IsRecords
            ? RecordReader.ReadImage(files[file], offset)
            : files[file].Read(offset, this.index.SizeOf(index), Samples[index].Name);
    }

    /// <inheritdoc/>
    public override long SizeOf(int index) => this.index.SizeOf(index);

    /// <inheritdoc/>
    internal override byte[] IndexDigest => index.Digest;

    /// <summary>Records keep their size under another label, so some are compared.</summary>
    private void RequireLabels(string indexPath, string path)
    {
        for (int i = 0; index.IsRecords && i < Math.Min(CheckedRecords, index.Count); i++)
        {
            int sample = (int)((long)i * index.Count / Math.Min(CheckedRecords, index.Count));
            (int file, long offset) = index.PositionOf(sample);
            float label = RecordReader.ReadHeader(files[file], offset, out _).Label;
            if ((uint)index.LabelOf(sample) >= (uint)People.Count || People[index.LabelOf(sample)] != ((int)label).ToString(CultureInfo.InvariantCulture))
            {
                throw Changed(indexPath, path, Invariant($"record {index.KeyOf(sample)} has the label {label}"));
            }
        }
    }

    private static UniFaceException Changed(string indexPath, string path, string how) =>
        new($"{indexPath} does not belong to {path}: {how}; build the index again with 'uniface data index {path}', or delete it");

    /// <summary>What an indexed set holds open.</summary>
    private sealed class OpenFiles : IDisposable
    {
        public DatasetIndex? Index { get; set; }

        public List<FileSegment> Files { get; } = [];

        public void Dispose()
        {
            Index?.Dispose();
            Files.ForEach(file => file.Dispose());
        }
    }
}
