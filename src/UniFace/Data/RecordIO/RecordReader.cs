using System.Buffers.Binary;

namespace UniFace.Data.RecordIO;

/// <summary>The header that MXNet writes before an image: IRHeader, "IfQQ".</summary>
/// <param name="Flag">0: the label is one number; n: n labels follow the header.</param>
/// <param name="Label">The first label.</param>
/// <param name="SecondLabel">The second label if there are two or more, otherwise 0.</param>
/// <param name="ImageLength">Bytes after header and labels; of a split record too.</param>
internal readonly record struct RecordHeader(uint Flag, float Label, float SecondLabel, long ImageLength);

/// <summary>
/// dmlc RecordIO, the container of MXNet: [magic][kind and length][payload][padding to 4 bytes]. A payload that contains the magic at a
/// multiple of 4 is stored in parts without it, and is restored here. There are two dialects: that of every release (magic 0xCED7230A,
/// kind in the top 3 bits) and that of the first drafts of 2015 (0x3ED7230A, top 2 bits).
/// </summary>
internal static class RecordReader
{
    /// <summary>First word of every record.</summary>
    public const uint Magic = 0xCED7230A;

    /// <summary>First word of every record in files of 2015's drafts.</summary>
    public const uint DraftMagic = 0x3ED7230A;

    private const int IrHeaderLength = 24;
    private const uint Whole = 0;
    private const uint First = 1;
    private const uint Middle = 2;
    private const uint Last = 3;

    /// <summary>The whole payload of the record at an offset.</summary>
    /// <exception cref="UniFaceException">No record starts there, or it is damaged.</exception>
    public static byte[] ReadPayload(FileSegment file, long offset)
    {
        (uint magic, uint kind, long length) = ReadPart(file, offset);
        if (kind == Whole)
        {
            return file.Read(offset + 8, length, "record");
        }

        Expect(file, offset, kind, kind == First);
        List<(long Offset, long Length)> parts = [(offset + 8, length)];
        long total = length;
        long at = offset;
        while (kind != Last)
        {
            at += 8 + ((length + 3) & ~3L);
            (uint partMagic, kind, length) = ReadPart(file, at);
            Expect(file, at, kind, kind is Middle or Last && partMagic == magic);
            parts.Add((at + 8, length));
            total += 4 + length;
            if (total > FileSegment.LargestItem)
            {
                throw new UniFaceException($"{file.Name}: the record at offset {offset} is over {FileSegment.LargestItem} bytes; the file is damaged.");
            }
        }

        byte[] payload = GC.AllocateUninitializedArray<byte>((int)total);
        int done = 0;
        foreach ((long partOffset, long partLength) in parts)
        {
            if (done > 0 || partOffset != offset + 8)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(payload.AsSpan(done), magic);
                done += 4;
            }

            file.Read(partOffset, payload.AsSpan(done, (int)partLength), "record");
            done += (int)partLength;
        }

        return payload;
    }

    /// <summary>Whether there is a record's first word at an offset.</summary>
    public static bool HasMagic(FileSegment file, long offset) =>
        BinaryPrimitives.ReadUInt32LittleEndian(file.Read(offset, 4, "record")) is Magic or DraftMagic;

    /// <summary>Whether a record, whole or in parts, can start at an offset.</summary>
    public static bool Starts(FileSegment file, long offset)
    {
        try
        {
            return ReadPart(file, offset).Kind is Whole or First;
        }
        catch (UniFaceException)
        {
            return false;
        }
    }

    /// <summary>Header and labels of the record at an offset, without its image.</summary>
    public static RecordHeader ReadHeader(FileSegment file, long offset) => ReadHeader(file, offset, out _, out _);

    /// <summary>Header and labels of the record at an offset, the id in it, and the offset after the record.</summary>
    public static RecordHeader ReadHeader(FileSegment file, long offset, out long id, out long end)
    {
        (_, uint kind, long length) = ReadPart(file, offset);
        end = offset + 8 + ((length + 3) & ~3L);
        if (kind != Whole)
        {
            // The magic may be in the header itself; split records are rare, so the record is read as a whole.
            byte[] payload = ReadPayload(file, offset);
            RecordHeader header = ParseHeader(file, offset, payload, out _);
            for (; kind != Last; end += 8 + ((length + 3) & ~3L))
            {
                (_, kind, length) = ReadPart(file, end);
            }

            id = BinaryPrimitives.ReadInt64LittleEndian(payload.AsSpan(8));
            return header;
        }

        Span<byte> start = stackalloc byte[IrHeaderLength + 8];
        start = start[..(int)Math.Min(start.Length, length)];
        file.Read(offset + 8, start, "record header");
        RecordHeader whole = Header(file, offset, start, length);
        id = BinaryPrimitives.ReadInt64LittleEndian(start[8..]);
        return whole;
    }

    /// <summary>The header of a payload, and the offset of its image.</summary>
    public static RecordHeader ParseHeader(FileSegment file, long offset, ReadOnlySpan<byte> payload, out int imageStart)
    {
        RecordHeader header = Header(file, offset, payload, payload.Length);
        imageStart = payload.Length - (int)header.ImageLength;
        return header;
    }

    private static RecordHeader Header(FileSegment file, long offset, ReadOnlySpan<byte> start, long length)
    {
        if (length < IrHeaderLength)
        {
            throw new UniFaceException(
                $"{file.Name}: the record at offset {offset} has {length} bytes, expected a header of {IrHeaderLength} (flag, label, id, id2).");
        }

        uint flag = BinaryPrimitives.ReadUInt32LittleEndian(start);
        long labels = 4L * flag;
        if (labels > length - IrHeaderLength)
        {
            throw new UniFaceException($"{file.Name}: the record at offset {offset} claims {flag} labels in {length} bytes; the file is damaged.");
        }

        float label = BinaryPrimitives.ReadSingleLittleEndian(start[(flag == 0 ? 4 : IrHeaderLength)..]);
        float second = flag >= 2 ? BinaryPrimitives.ReadSingleLittleEndian(start[(IrHeaderLength + 4)..]) : 0;
        return new RecordHeader(flag, label, second, length - IrHeaderLength - labels);
    }

    private static (uint Magic, uint Kind, long Length) ReadPart(FileSegment file, long offset)
    {
        Span<byte> head = stackalloc byte[8];
        file.Read(offset, head, "record");
        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(head);
        if (magic is not (Magic or DraftMagic))
        {
            throw new UniFaceException(
                $"{file.Name}: no record at offset {offset}: found 0x{magic:x8}, expected 0x{Magic:x8}; " +
                "the .idx belongs to another .rec, or the file is damaged.");
        }

        int lengthBits = magic == Magic ? 29 : 30;
        uint word = BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
        long length = word & ((1U << lengthBits) - 1);
        if (length > file.Length - offset - 8)
        {
            throw new UniFaceException(
                $"{file.Name}: the record at offset {offset} claims {length} bytes, the file has {file.Length - offset - 8} left; it is truncated or damaged.");
        }

        return (magic, word >> lengthBits, length);
    }

    private static void Expect(FileSegment file, long offset, uint kind, bool valid)
    {
        if (!valid)
        {
            throw new UniFaceException(
                $"{file.Name}: the record part at offset {offset} is of kind {kind}, which is not allowed there; the file is damaged.");
        }
    }
}
