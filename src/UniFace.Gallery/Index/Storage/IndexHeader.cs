namespace UniFace.Gallery.Index.Storage;

/// <summary>
/// The first page of an index file: magic, version, dimension, rows, change, checksums of the groups and of ids and keys, owner and contract,
/// and the SHA-256 of all that. Like the rows, in the processor's byte order.
/// </summary>
internal sealed record IndexHeader(int Dimension, int Rows, float LargestNorm, ulong GroupsChecksum, ulong NumbersChecksum, IndexStamp Stamp)
{
    /// <summary>Bytes of a header; the sections that follow are aligned to it.</summary>
    public const int Size = 4096;

    /// <summary>The groups' checksum while rows are erased; a kill leaves it in the file.</summary>
    public const ulong Erasing = ulong.MaxValue;

    private const int Version = 2, TextsAt = 64, TextBytes = 512, HashAt = Size - 32;

    private static readonly ulong Magic = MemoryMarshal.Read<ulong>("UFIDXALL"u8);

    /// <summary>Number of rows with padding to whole pairs of groups.</summary>
    public int Capacity => (Rows + (2 * RowGroup.Rows) - 1) / (2 * RowGroup.Rows) * (2 * RowGroup.Rows);

    /// <summary>Offset of the keys.</summary>
    public long KeysAt => Align(Size + ((long)Capacity * sizeof(long)));

    /// <summary>Offset of the groups.</summary>
    public long GroupsAt => Align(KeysAt + ((long)Capacity * sizeof(long)));

    /// <summary>Offset of the float rows.</summary>
    public long RowsAt => Align(GroupsAt + ((long)Capacity / RowGroup.Rows * new RowGroup(Dimension).Stride));

    /// <summary>Size of the file in bytes.</summary>
    public long FileSize => RowsAt + ((long)Capacity * Dimension * sizeof(float));

    /// <summary>The header as bytes.</summary>
    public byte[] ToBytes()
    {
        byte[] page = new byte[Size];
        MemoryMarshal.Write(page, new Fields(Magic, Version, Dimension, Rows, LargestNorm, Stamp.Change, GroupsChecksum, NumbersChecksum));
        WriteText(page.AsSpan(TextsAt), Stamp.Owner);
        WriteText(page.AsSpan(TextsAt + TextBytes), Stamp.ContractId);
        SHA256.HashData(page.AsSpan(0, HashAt), page.AsSpan(HashAt));
        return page;
    }

    /// <summary>Parses a header.</summary>
    /// <param name="page">The first <see cref="Size"/> bytes.</param>
    /// <param name="path">The file, for errors.</param>
    /// <exception cref="UniFaceException">It is another file, of another version, or damaged.</exception>
    public static IndexHeader Parse(ReadOnlySpan<byte> page, string path)
    {
        Fields fields = MemoryMarshal.Read<Fields>(page);
        if (fields.Magic != Magic || fields.Version != Version)
        {
            throw Unusable(path, "not an index of this version");
        }

        if (!SHA256.HashData(page[..HashAt]).AsSpan().SequenceEqual(page[HashAt..]))
        {
            throw Unusable(path, "the header is damaged");
        }

        IndexStamp stamp = new(ReadText(page[TextsAt..]), ReadText(page[(TextsAt + TextBytes)..]), fields.Change);
        return fields is { Dimension: >= 1 and <= 65536, Rows: >= 0 and <= int.MaxValue - 64, LargestNorm: >= 0 and < 1e9f }
            ? new IndexHeader(fields.Dimension, fields.Rows, fields.LargestNorm, fields.GroupsChecksum, fields.NumbersChecksum, stamp)
            : throw Unusable(path, $"{fields.Rows} rows of {fields.Dimension} values are not valid");
    }

    /// <summary>The error about an index that cannot be used.</summary>
    public static UniFaceException Unusable(string path, string problem, Exception? cause = null) =>
        new($"{path}: {problem}; rebuild the gallery's index.", cause!);

    private static long Align(long at) => (at + Size - 1) / Size * Size;

    // A text is its length as two bytes, then UTF-8.
    private static void WriteText(Span<byte> to, string text)
    {
        int length = Encoding.UTF8.GetBytes(text, to[2..TextBytes]);
        MemoryMarshal.Write(to, (ushort)length);
    }

    private static string ReadText(ReadOnlySpan<byte> from) =>
        Encoding.UTF8.GetString(from.Slice(2, Math.Min((int)MemoryMarshal.Read<ushort>(from), TextBytes - 2)));

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Fields(
        ulong Magic, int Version, int Dimension, int Rows, float LargestNorm, long Change, ulong GroupsChecksum, ulong NumbersChecksum);
}
