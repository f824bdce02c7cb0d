using Google.FlatBuffers;

namespace UniFace.Vision.TfLite;

/// <summary>
/// A table of an untrusted FlatBuffer. Google's reader checks every access against the buffer; this checks the lengths of vectors and counts the
/// tables, because one table may be referenced any number of times.
/// </summary>
internal sealed class FlatTable
{
    private const int MaxTables = 100_000;

    private readonly Table table;
    private readonly Source source;

    private FlatTable(Source source, int position)
    {
        if (++source.Tables > MaxTables)
        {
            throw new InvalidDataException($"it has more than {MaxTables} tables");
        }

        table = new Table(position, source.Buffer);
        this.source = source;
    }

    /// <summary>The root of a buffer.</summary>
    /// <exception cref="InvalidDataException">It has another identifier.</exception>
    public static FlatTable Root(byte[] bytes, ReadOnlySpan<byte> identifier)
    {
        if (bytes.Length < 8 || !bytes.AsSpan(4, 4).SequenceEqual(identifier))
        {
            throw new InvalidDataException("it does not have the identifier of the format");
        }

        return new FlatTable(new Source(bytes), checked((int)BinaryPrimitives.ReadUInt32LittleEndian(bytes)));
    }

    /// <summary>A byte field.</summary>
    public byte Byte(int field, byte missing = 0) => Offset(field) is int at and > 0 ? table.bb.Get(table.bb_pos + at) : missing;

    /// <summary>A 32-bit field.</summary>
    public int Int(int field, int missing = 0) => Offset(field) is int at and > 0 ? table.bb.GetInt(table.bb_pos + at) : missing;

    /// <summary>The table of a field; null if it is missing.</summary>
    public FlatTable? Child(int field) =>
        Offset(field) is int at and > 0 ? new FlatTable(source, table.__indirect(table.bb_pos + at)) : null;

    /// <summary>The tables of a vector; empty if it is missing.</summary>
    public FlatTable[] Children(int field)
    {
        (int start, int length) = Vector(field, sizeof(int));
        FlatTable[] tables = new FlatTable[length];
        for (int i = 0; i < length; i++)
        {
            tables[i] = new FlatTable(source, table.__indirect(start + (i * sizeof(int))));
        }

        return tables;
    }

    /// <summary>The integers of a vector; empty if it is missing.</summary>
    public int[] Ints(int field)
    {
        (int start, int length) = Vector(field, sizeof(int));
        int[] values = new int[length];
        for (int i = 0; i < length; i++)
        {
            values[i] = table.bb.GetInt(start + (i * sizeof(int)));
        }

        return values;
    }

    /// <summary>The bytes of a vector, without a copy; empty if it is missing.</summary>
    public ReadOnlyMemory<byte> Bytes(int field)
    {
        (int start, int length) = Vector(field, 1);
        return source.Bytes.AsMemory(start, length);
    }

    private int Offset(int field)
    {
        int offset = table.__offset(4 + (2 * field));
        return offset >= 0 ? offset : throw new InvalidDataException("a field is outside of its table");
    }

    private (int Start, int Length) Vector(int field, int elementSize)
    {
        if (Offset(field) is not (int at and > 0))
        {
            return (0, 0);
        }

        int length = table.__vector_len(at), start = table.__vector(at);
        return start >= 0 && length >= 0 && length <= (table.bb.Length - start) / elementSize && start <= table.bb.Length
            ? (start, length)
            : throw new InvalidDataException($"a vector of {length} elements is longer than the file");
    }

    private sealed class Source(byte[] bytes)
    {
        public byte[] Bytes { get; } = bytes;

        public ByteBuffer Buffer { get; } = new(bytes);

        public int Tables { get; set; }
    }
}
