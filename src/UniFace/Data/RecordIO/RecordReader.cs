namespace UniFace.Data.RecordIO;

/// <summary>The header that MXNet writes before an image: IRHeader, "IfQQ".</summary>
/// <param name="Flag">0: the label is one number; n: n labels follow the header.</param>
/// <param name="Label">The first label.</param>
/// <param name="Id">The record's id, its key in the index.</param>
/// <param name="ImageLength">Bytes after header and labels.</param>
internal readonly record struct RecordHeader(uint Flag, float Label, long Id, long ImageLength);

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

    /// <summary>The image of the record at an offset.</summary>
    /// <exception cref="UniFaceException">No record starts there, or it is damaged.</exception>
    public static byte[] ReadImage(FileSegment file, long offset)
    {
        byte[] payload = ReadPayload(file, offset, out _);
        return payload[^(int)ParseHeader(file, offset, payload, payload.Length).ImageLength..];
    }

    /// <summary>Header and labels of the record at an offset, without its image.</summary>
    /// <param name="file">The records.</param>
    /// <param name="offset">Where the record starts.</param>
    /// <param name="end">The offset after the record.</param>
    /// <exception cref="UniFaceException">No record starts there, or it is damaged.</exception>
    public static RecordHeader ReadHeader(FileSegment file, long offset, out long end)
    {
        (_, uint kind, long length) = ReadPart(file, offset);
        if (kind != Whole)
        {
            // The magic may be in the header itself; split records are rare, so the record is read as a whole.
            byte[] payload = ReadPayload(file, offset, out end);
            return ParseHeader(file, offset, payload, payload.Length);
        }

        end = End(offset, length);
        Span<byte> start = stackalloc byte[IrHeaderLength + 4];
        start = start[..(int)Math.Min(start.Length, length)];
        file.Read(offset + 8, start, "record header");
        return ParseHeader(file, offset, start, length);
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

    private static byte[] ReadPayload(FileSegment file, long offset, out long end)
    {
        (uint magic, uint kind, long length) = ReadPart(file, offset);
        end = End(offset, length);
        if (kind == Whole)
        {
            return file.Read(offset + 8, length, "record");
        }

        Expect(kind == First, offset);
        List<(long Offset, long Length)> parts = [(offset + 8, length)];
        long total = length;
        while (kind != Last)
        {
            long at = end;
            (uint partMagic, kind, length) = ReadPart(file, at);
            Expect(kind is Middle or Last && partMagic == magic, at);
            end = End(at, length);
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
            if (partOffset != offset + 8)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(payload.AsSpan(done), magic);
                done += 4;
            }

            file.Read(partOffset, payload.AsSpan(done, (int)partLength), "record");
            done += (int)partLength;
        }

        return payload;

        void Expect(bool valid, long at)
        {
            if (!valid)
            {
                throw new UniFaceException($"{file.Name}: the record part at offset {at} is of kind {kind}, which is not allowed there; the file is damaged.");
            }
        }
    }

    private static RecordHeader ParseHeader(FileSegment file, long offset, ReadOnlySpan<byte> start, long length)
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
        return new RecordHeader(flag, label, BinaryPrimitives.ReadInt64LittleEndian(start[8..]), length - IrHeaderLength - labels);
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

    private static long End(long offset, long length) => offset + 8 + ((length + 3) & ~3L);
}
