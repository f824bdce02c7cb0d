namespace UniFace.Data.Archives;

/// <summary>
/// Finds the files of a tar. Only headers are read: v7, ustar (POSIX.1-1988), pax (POSIX.1-2001) and GNU, with long names and sizes of
/// either kind. Hard links are followed; other kinds of entries are skipped. System.Formats.Tar is not used: that of .NET 10.0 accepts wrong
/// checksums, allocates the 2 GB that a 1 KB tar claims for a name, and fails on user ids above 2,147,483,647, on sparse
/// files and on hard links with a size.
/// </summary>
internal static class TarIndex
{
    private const int Block = 512;
    private const int MaxExtensionBytes = 1 << 20;

    /// <summary>The files of a tar, in its order; of two with one name the later, as tar unpacks them.</summary>
    /// <exception cref="UniFaceException">It is not a tar, is truncated or damaged.</exception>
    public static IReadOnlyList<ArchiveFile> Read(FileSegment tar)
    {
        List<ArchiveFile> files = [];
        Dictionary<string, int> byName = [];
        byte[] header = new byte[Block];
        string? longName = null, longLink = null;
        Dictionary<string, string> pax = [], globals = [];
        for (long offset = 0; offset < tar.Length;)
        {
            tar.Read(offset, header, "tar header");
            if (header.AsSpan().IndexOfAnyExcept((byte)0) < 0)
            {
                break; // The end is marked by two empty blocks.
            }

            CheckSum(tar, header, offset);
            char type = (char)header[156];
            long size = pax.TryGetValue("size", out string? paxSize) ? Decimal(tar, paxSize, offset) : Number(tar, header.AsSpan(124, 12), offset);
            long data = offset + Block;
            bool hasData = type is not ('1' or '2' or '3' or '4' or '5' or '6');
            if (size < 0 || (hasData && size > tar.Length - data))
            {
                throw new UniFaceException(
                    $"{tar.Name}: the entry at offset {offset} claims {size} bytes, the file has {tar.Length - data} left; the tar is truncated or damaged");
            }

            offset = data + (hasData ? (size + Block - 1) / Block * Block : 0);
            switch (type)
            {
                case 'L':
                    longName = Text(Extension(tar, data, size));
                    continue;
                case 'K':
                    longLink = Text(Extension(tar, data, size));
                    continue;
                case 'x':
                    Pax(tar, Extension(tar, data, size), data, pax);
                    continue;
                case 'g':
                    Pax(tar, Extension(tar, data, size), data, globals);
                    continue;
                case '0' or '\0' or '7' or '1':
                    string name = PhotoArchive.Normalize(longName ?? pax.GetValueOrDefault("path") ?? globals.GetValueOrDefault("path") ?? HeaderName(header));
                    ArchiveFile file = new(name, data, size);
                    bool keep = name.Length > 0 && !name.EndsWith('/') && !pax.Keys.Any(key => key.StartsWith("GNU.sparse.", StringComparison.Ordinal));
                    if (keep && type == '1')
                    {
                        string target = PhotoArchive.Normalize(longLink ?? pax.GetValueOrDefault("linkpath") ?? Text(header.AsSpan(157, 100)));
                        keep = byName.TryGetValue(target, out int linked);
                        file = keep ? files[linked] with { Name = name } : file;
                    }

                    if (keep)
                    {
                        if (byName.TryGetValue(name, out int earlier))
                        {
                            files[earlier] = file;
                        }
                        else
                        {
                            byName.Add(name, files.Count);
                            files.Add(file);
                        }
                    }

                    break;
            }

            longName = longLink = null;
            pax.Clear();
        }

        return files;
    }

    private static void CheckSum(FileSegment tar, byte[] header, long offset)
    {
        long stored = Number(tar, header.AsSpan(148, 8), offset);
        header.AsSpan(148, 8).Fill((byte)' '); // The sum is that of a header with a blank checksum; old tars add signed bytes.
        if (stored != header.Sum(value => value) && stored != header.Sum(value => (sbyte)value))
        {
            throw Bad(tar, offset, "has a wrong checksum");
        }
    }

    /// <summary>Octal digits, or the GNU big-endian form whose first bit is set.</summary>
    private static long Number(FileSegment tar, ReadOnlySpan<byte> field, long offset)
    {
        long value = 0;
        if ((field[0] & 0x80) != 0)
        {
            value = field[0] & 0x7F;
            foreach (byte b in field[1..])
            {
                if (value > long.MaxValue >> 8)
                {
                    throw Bad(tar, offset, "has a number that is too large");
                }

                value = (value << 8) | b;
            }

            return value;
        }

        foreach (byte b in field)
        {
            if (b is (byte)' ' or 0)
            {
                if (value > 0)
                {
                    break;
                }

                continue;
            }

            if (b is < (byte)'0' or > (byte)'7')
            {
                throw Bad(tar, offset, "has a number that is not octal");
            }

            value = (value << 3) | (uint)(b - '0');
        }

        return value;
    }

    private static long Decimal(FileSegment tar, string text, long offset) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value)
            ? value
            : throw Bad(tar, offset, $"follows the pax size '{text.Shorten(30)}', expected a decimal number");

    private static byte[] Extension(FileSegment tar, long data, long size) => size <= MaxExtensionBytes
        ? tar.Read(data, size, "tar extension")
        : throw new UniFaceException($"{tar.Name}: the tar extension at offset {data} has {size} bytes, over the limit of {MaxExtensionBytes}");

    /// <summary>Records "LENGTH KEY=VALUE\n", the length counting itself.</summary>
    private static void Pax(FileSegment tar, ReadOnlySpan<byte> records, long offset, Dictionary<string, string> into)
    {
        while (!records.IsEmpty && records[0] != 0)
        {
            int space = records.IndexOf((byte)' ');
            if (space is < 1 or > 9
                || !int.TryParse(Encoding.ASCII.GetString(records[..space]), NumberStyles.None, CultureInfo.InvariantCulture, out int length)
                || length <= space + 1 || length > records.Length || records[length - 1] != '\n')
            {
                throw new UniFaceException($"{tar.Name}: the pax header at offset {offset} is damaged; expected records 'LENGTH KEY=VALUE'");
            }

            ReadOnlySpan<byte> record = records[(space + 1)..(length - 1)];
            int equals = record.IndexOf((byte)'=');
            if (equals > 0)
            {
                into[Encoding.UTF8.GetString(record[..equals])] = Encoding.UTF8.GetString(record[(equals + 1)..]);
            }

            records = records[length..];
        }
    }

    private static UniFaceException Bad(FileSegment tar, long offset, string what) =>
        new($"{tar.Name}: the tar header at offset {offset} {what}; {(offset == 0 ? "this is not a tar" : "the tar is damaged")}");

    private static string HeaderName(byte[] header)
    {
        string name = Text(header.AsSpan(0, 100));
        string prefix = header.AsSpan(257, 6).SequenceEqual("ustar\0"u8) ? Text(header.AsSpan(345, 155)) : "";
        return prefix.Length > 0 ? prefix + "/" + name : name;
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        int end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }
}
