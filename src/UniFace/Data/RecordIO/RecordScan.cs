namespace UniFace.Data.RecordIO;

/// <summary>Finds the records of a .rec file without an index by reading it from the start. Damaged parts are skipped.</summary>
internal static class RecordScan
{
    /// <summary>A file with more damaged parts is not a RecordIO file.</summary>
    private const int MostBroken = 10_000;

    /// <summary>
    /// Keys and offsets, sorted by key. A record's key is the id in its header, as MXNet's tools write it; if ids are not unique, images are
    /// numbered from 1 in the order of the file.
    /// </summary>
    /// <param name="records">The records.</param>
    /// <param name="broken">Receives an error for each damaged part.</param>
    /// <exception cref="UniFaceException">It has no record, or is truncated.</exception>
    public static (long Key, long Offset)[] Index(FileSegment records, List<UniFaceException> broken)
    {
        List<(long Key, long Offset, bool IsPicture)> found = [];
        for (long offset = 0; offset < records.Length;)
        {
            try
            {
                RecordHeader header = RecordReader.ReadHeader(records, offset, out long end);
                found.Add((header.Id, offset, header.ImageLength > 0));
                offset = end;
            }
            catch (UniFaceException e)
            {
                long? next = Next(records, offset + 4);
                if (broken.Count == MostBroken || (next is null && records.Length - offset >= 4 && RecordReader.HasMagic(records, offset)))
                {
                    throw; // Too many, or a last record that begins and does not end: the file is truncated.
                }

                broken.Add(e);
                offset = next ?? records.Length;
            }
        }

        if (found.Count == 0)
        {
            throw broken.Count > 0 ? broken[0] : new UniFaceException($"{records.Name} is empty; expected records of pictures.");
        }

        if (found.DistinctBy(record => record.Key).Count() == found.Count)
        {
            return [.. found.Select(record => (record.Key, record.Offset)).Order()];
        }

        (long Key, long Offset)[] pictures = [.. found.Where(record => record.IsPicture).Select((record, i) => (i + 1L, record.Offset))];
        return pictures.Length > 0
            ? pictures
            : throw new UniFaceException($"{records.Name}: none of its {Plural.Format(found.Count, "record")} holds a picture; expected records of pictures.");
    }

    /// <summary>Where the next record starts at or after an offset; null if there is none.</summary>
    private static long? Next(FileSegment records, long from)
    {
        byte[] chunk = new byte[1 << 16];
        for (long at = from; at + 8 <= records.Length; at += chunk.Length)
        {
            Span<byte> part = chunk.AsSpan(0, (int)Math.Min(chunk.Length, records.Length - at) & ~3);
            records.Read(at, part, "records");
            for (int i = 0; i < part.Length; i += 4)
            {
                if (BinaryPrimitives.ReadUInt32LittleEndian(part[i..]) is RecordReader.Magic or RecordReader.DraftMagic && RecordReader.Starts(records, at + i))
                {
                    return at + i;
                }
            }
        }

        return null;
    }
}
