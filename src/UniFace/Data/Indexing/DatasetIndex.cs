using System.IO.MemoryMappedFiles;

namespace UniFace.Data.Indexing;

/// <summary>
/// The index of a data set in a file that is mapped into memory: for each sample its label, size, position and name, without an object or text per
/// sample. 'uniface data index' writes it beside the set, which then opens at once. Thread-safe.
/// </summary>
/// <remarks>
/// The file, little-endian, each column padded to 8 bytes: "UFINDEX" and version 1; samples N, bytes of their names or -1 for RecordIO, people P, bytes of
/// their names, files F, bytes of their names, the level of the person's folder or 0 (7 x int64). Labels and sizes (2 x N x int32). Positions (N x int64:
/// file in the upper 16 bits, offset). Keys of the records, or the ends of the names (N x int64), and the names. Ends of the people's names (P x int64),
/// and the names. Lengths (F x int64), the SHA-256 of both edges (F x 32 bytes), ends of the files' names (F x int64), and the names. The digest of the
/// set's index (32 bytes). SHA-256 of all that (32 bytes).
/// </remarks>
internal sealed unsafe class DatasetIndex : IDisposable
{
    /// <summary>Extension of an index.</summary>
    public const string Extension = ".ufindex";

    /// <summary>Most files of a set.</summary>
    public const int MaxFiles = 1 << 16;

    /// <summary>Bits of a position that are the offset.</summary>
    public const int OffsetBits = 48;

    internal const int HeaderBytes = 64;
    internal const int EdgeBytes = 4096;
    internal static readonly byte[] Magic = [.. "UFINDEX"u8, 1];

    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly string path;
    private readonly byte* start;
    private readonly Columns columns;
    private bool disposed;

    private DatasetIndex(string path, Columns columns)
    {
        this.path = path;
        this.columns = columns;
        file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, capacity: 0, MemoryMappedFileAccess.Read);
        view = file.CreateViewAccessor(0, columns.End, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += view.PointerOffset;
    }

    /// <summary>Number of samples.</summary>
    public int Count => (int)columns.Samples;

    /// <summary>Whether the files are RecordIO.</summary>
    public bool IsRecords => columns.SampleNameBytes < 0;

    /// <summary>Which folder of a path is the person, as the set was opened; null: the folder that holds the image.</summary>
    public int? PersonLevel => columns.PersonLevel == 0 ? null : (int)columns.PersonLevel;

    /// <summary>Names of the people.</summary>
    public IReadOnlyList<string> People { get; private set; } = [];

    /// <summary>Names of the files, relative to the folder of the index, and their lengths.</summary>
    public IReadOnlyList<(string Name, long Length)> Files { get; private set; } = [];

    /// <summary>The digest over people, names, labels and sizes.</summary>
    public byte[] Digest => new ReadOnlySpan<byte>(At(columns.Digest, 0, 1, SHA256.HashSizeInBytes), SHA256.HashSizeInBytes).ToArray();

    /// <summary>Opens an index and checks its structure and checksum.</summary>
    /// <exception cref="UniFaceException">It is damaged, or was written by a newer version.</exception>
    public static DatasetIndex Open(string path)
    {
        Columns columns;
        using (FileSegment content = FileSegment.Open(path))
        {
            columns = ReadHeader(content);
            RequireChecksum(content);
        }

        DatasetIndex index;
        try
        {
            index = new DatasetIndex(path, columns);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UniFaceException($"{path} cannot be mapped: {e.Message}", e);
        }

        try
        {
            index.People = index.Texts(columns.Persons, columns.PersonEnds, columns.PersonNames, columns.PersonNameBytes);
            string[] names = index.Texts(columns.Files, columns.FileEnds, columns.FileNames, columns.FileNameBytes);
            index.Files = [.. names.Select((name, i) => (name, *(long*)index.At(columns.FileLengths, i, columns.Files, 8)))];
            return index;
        }
        catch
        {
            index.Dispose();
            throw;
        }
    }

    /// <summary>The label of a sample.</summary>
    public int LabelOf(int sample) => *(int*)At(columns.Labels, sample, columns.Samples, 4);

    /// <summary>The size of a sample in bytes.</summary>
    public int SizeOf(int sample) => *(int*)At(columns.Sizes, sample, columns.Samples, 4);

    /// <summary>The file of a sample and the offset in it.</summary>
    public (int File, long Offset) PositionOf(int sample)
    {
        ulong position = *(ulong*)At(columns.Positions, sample, columns.Samples, 8);
        int part = (int)(position >> OffsetBits);
        return part < columns.Files
            ? (part, (long)(position & ((1UL << OffsetBits) - 1)))
            : throw new UniFaceException($"{path}: sample {sample} is in file {part} of {columns.Files}; the index is damaged: build it again");
    }

    /// <summary>The key of a sample's record.</summary>
    public long KeyOf(int sample) => *(long*)At(columns.Names, sample, columns.Samples, 8);

    /// <summary>The name of a sample in a tar.</summary>
    public string NameOf(int sample) => Text(sample, columns.Samples, columns.Names, columns.SampleNames, columns.SampleNameBytes);

    /// <summary>The SHA-256 of both edges of a file, as it was when the index was built.</summary>
    public ReadOnlySpan<byte> EdgesOf(int part) => new(At(columns.FileEdges, part, columns.Files, SHA256.HashSizeInBytes), SHA256.HashSizeInBytes);

    /// <summary>The SHA-256 of the first and last bytes of a file.</summary>
    public static byte[] HashEdges(FileSegment file)
    {
        long count = Math.Min(file.Length, EdgeBytes);
        return SHA256.HashData([.. file.Read(0, count, "file"), .. file.Read(file.Length - count, count, "file")]);
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        if (!disposed)
        {
            disposed = true;
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
            file.Dispose();
        }
    }

    private static Columns ReadHeader(FileSegment content)
    {
        byte[] header = new byte[HeaderBytes];
        content.Read(0, header, "header");
        if (!header.AsSpan().StartsWith(Magic))
        {
            throw new UniFaceException(
                $"{content.Name}: offset 0: not the index of a data set (version 1); it is damaged, or was written by a newer uniface: build it again");
        }

        long[] counts = [.. Enumerable.Range(1, 7).Select(i => BinaryPrimitives.ReadInt64LittleEndian(header.AsSpan(8 * i)))];
        bool valid = counts[0] is >= 1 and <= int.MaxValue && counts[1] >= -1 && counts[1] <= content.Length && counts[2] >= 1 && counts[2] <= counts[0]
            && counts[3] >= 0 && counts[3] <= content.Length && counts[4] is >= 1 and <= MaxFiles && counts[5] >= 0 && counts[5] <= content.Length
            && counts[6] is >= 0 and <= int.MaxValue;
        Columns columns = new(counts);
        return valid && columns.End + SHA256.HashSizeInBytes == content.Length
            ? columns
            : throw new UniFaceException(
                $"{content.Name}: its header does not fit its length of {content.Length} bytes; the index is truncated or damaged: build it again");
    }

    private static void RequireChecksum(FileSegment content)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] chunk = new byte[1 << 20];
        long end = content.Length - SHA256.HashSizeInBytes;
        for (long at = 0; at < end; at += chunk.Length)
        {
            Span<byte> part = chunk.AsSpan(0, (int)Math.Min(chunk.Length, end - at));
            content.Read(at, part, "index");
            hash.AppendData(part);
        }

        if (!hash.GetHashAndReset().AsSpan().SequenceEqual(content.Read(end, SHA256.HashSizeInBytes, "checksum")))
        {
            throw new UniFaceException($"{content.Name}: its checksum is wrong; the index is damaged: build it again");
        }
    }

    private byte* At(long column, long item, long count, int bytes)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)item, (ulong)count, nameof(item));
        return start + column + (item * bytes);
    }

    private string Text(long item, long count, long ends, long text, long textBytes)
    {
        long from = item == 0 ? 0 : *(long*)At(ends, item - 1, count, 8);
        long to = *(long*)At(ends, item, count, 8);
        return from >= 0 && from <= to && to <= textBytes && to - from <= 1 << 16
            ? Encoding.UTF8.GetString(start + text + from, (int)(to - from))
            : throw new UniFaceException($"{path}: name {item} reaches from byte {from} to {to} of {textBytes}; the index is damaged: build it again");
    }

    private string[] Texts(long count, long ends, long text, long textBytes)
    {
        string[] texts = new string[count];
        for (int i = 0; i < texts.Length; i++)
        {
            texts[i] = Text(i, count, ends, text, textBytes);
        }

        return texts;
    }

    /// <summary>Where the columns start, from the counts of the header.</summary>
    internal readonly struct Columns
    {
        public Columns(ReadOnlySpan<long> counts)
        {
            (Samples, SampleNameBytes, Persons, PersonNameBytes, Files, FileNameBytes, PersonLevel) =
                (counts[0], counts[1], counts[2], counts[3], counts[4], counts[5], counts[6]);
            Labels = HeaderBytes;
            Sizes = Padded(Labels + (4 * Samples));
            Positions = Padded(Sizes + (4 * Samples));
            Names = Positions + (8 * Samples);
            SampleNames = Names + (8 * Samples);
            PersonEnds = Padded(SampleNames + Math.Max(SampleNameBytes, 0));
            PersonNames = PersonEnds + (8 * Persons);
            FileLengths = Padded(PersonNames + PersonNameBytes);
            FileEdges = FileLengths + (8 * Files);
            FileEnds = FileEdges + (SHA256.HashSizeInBytes * Files);
            FileNames = FileEnds + (8 * Files);
            Digest = Padded(FileNames + FileNameBytes);
            End = Digest + SHA256.HashSizeInBytes;
        }

        public long Samples { get; }

        public long SampleNameBytes { get; }

        public long Persons { get; }

        public long PersonNameBytes { get; }

        public long Files { get; }

        public long FileNameBytes { get; }

        public long PersonLevel { get; }

        public long Labels { get; }

        public long Sizes { get; }

        public long Positions { get; }

        public long Names { get; }

        public long SampleNames { get; }

        public long PersonEnds { get; }

        public long PersonNames { get; }

        public long FileLengths { get; }

        public long FileEdges { get; }

        public long FileEnds { get; }

        public long FileNames { get; }

        public long Digest { get; }

        public long End { get; }

        /// <summary>The next multiple of 8.</summary>
        public static long Padded(long bytes) => (bytes + 7) & ~7L;
    }
}
