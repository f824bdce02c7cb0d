using Microsoft.Win32.SafeHandles;

namespace UniFace.Gallery.Index.Storage;

/// <summary>
/// A stored index: header, ids, keys, codes in the scan's layout, float rows; in one file, so that it is replaced by one rename. The codes are
/// read into memory and checked, because every search reads all of them; a float row is read when it is needed. The file is not mapped into
/// memory: if another process truncates it, a read fails, but access to a mapping would kill the process (SIGBUS).
/// </summary>
internal sealed unsafe class IndexFile : IDisposable
{
    private const int ChunkRows = RowGroup.Rows;
    private const long IdsPlace = 1L << 40, KeysPlace = 1L << 41;

    private readonly string path;
    private readonly SafeFileHandle handle;

    private IndexFile(string path, FileAccess access)
    {
        this.path = path;
        handle = OpenHandle(path, access);
        try
        {
            Header = ReadHeader();
            Block = access == FileAccess.Read ? Load() : null!;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Header of the file.</summary>
    public IndexHeader Header { get; }

    /// <summary>All rows, of a file that is open for reading.</summary>
    public RowBlock Block { get; }

    /// <summary>Opens a stored index and checks it.</summary>
    /// <exception cref="UniFaceException">The file is missing, of another version, cut off or damaged.</exception>
    public static IndexFile Open(string path) => new(path, FileAccess.Read);

    /// <summary>Writes rows as a stored index, atomically.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dimension">Values in a row.</param>
    /// <param name="rows">The rows in the order of their ids.</param>
    /// <param name="largestNorm">At least the norm of every row and of its quantised form.</param>
    /// <param name="stamp">The state that it is stored for.</param>
    public static void Write(string path, int dimension, IReadOnlyList<RowSlot> rows, float largestNorm, IndexStamp stamp)
    {
        IndexHeader header = new(dimension, rows.Count, largestNorm, 0, 0, stamp);
        AtomicFile.Write(
            path,
            stream =>
            {
                header = WriteCodes(stream, header, rows);
                stream.Position = header.RowsAt;
                foreach (RowSlot row in rows)
                {
                    stream.Write(MemoryMarshal.AsBytes(row.Values));
                }

                stream.SetLength(header.FileSize);
                stream.Position = 0;
                stream.Write(header.ToBytes());
            },
            ownerOnly: true);
    }

    /// <summary>
    /// Overwrites rows of a stored index in its file and reads them back, so that nothing of them is left; the stamp stays. A kill meanwhile leaves
    /// an index that is found damaged when it is opened.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="owner">The gallery that the index must belong to: in another gallery the ids are those of other rows.</param>
    /// <param name="ids">Ids of the rows; ids that it does not have are skipped.</param>
    /// <exception cref="UniFaceException">The file is missing, of another version or owner, cut off or damaged; or the rows are still there.</exception>
    public static void Erase(string path, string owner, IReadOnlyCollection<long> ids)
    {
        using IndexFile file = new(path, FileAccess.ReadWrite);
        if (file.Header.Stamp.Owner != owner)
        {
            throw IndexHeader.Unusable(path, "an index of another gallery");
        }

        file.Erase(ids);
    }

    /// <summary>Closes the file; the block must not be used any more.</summary>
    public void Dispose() => handle.Dispose();

    private void Erase(IReadOnlyCollection<long> ids)
    {
        long[] known = new long[Header.Capacity], keys = new long[Header.Capacity];
        Read(MemoryMarshal.AsBytes(known.AsSpan()), IndexHeader.Size);
        Read(MemoryMarshal.AsBytes(keys.AsSpan()), Header.KeysAt);
        ulong checksum = Header.GroupsChecksum;
        if (NumbersChecksum(known, keys) != Header.NumbersChecksum || checksum == IndexHeader.Erasing)
        {
            throw Damaged();
        }

        RandomAccess.Write(handle, (Header with { GroupsChecksum = IndexHeader.Erasing }).ToBytes(), 0);
        RandomAccess.FlushToDisk(handle);
        RowGroup layout = new(Header.Dimension);
        byte[] bytes = new byte[layout.Stride], values = new byte[Header.Dimension * sizeof(float)];
        List<int> rows = [.. ids.Select(id => known.AsSpan(0, Header.Rows).BinarySearch(id)).Where(row => row >= 0)];
        foreach (int row in rows)
        {
            checksum += Wipe(row);
            RandomAccess.Write(handle, bytes, GroupAt(row / RowGroup.Rows, layout));
            RandomAccess.Write(handle, values, RowAt(row));
        }

        RandomAccess.FlushToDisk(handle);
        RandomAccess.Write(handle, (Header with { GroupsChecksum = checksum }).ToBytes(), 0);
        RandomAccess.FlushToDisk(handle);
        foreach (int row in rows)
        {
            Read(values, RowAt(row));
            if (Wipe(row) != 0 || values.AsSpan().ContainsAnyExcept((byte)0))
            {
                throw new UniFaceException($"{path}: erased rows are still there when they are read back.");
            }
        }

        // Reads the group of a row and wipes the row in the buffer. Returns by how much that changes the checksum.
        ulong Wipe(int row)
        {
            (int group, int lane) = Math.DivRem(row, RowGroup.Rows);
            Read(bytes, GroupAt(group, layout));
            ulong before = IndexChecksum.Compute(bytes, group);
            fixed (byte* data = bytes)
            {
                layout.Remove(data, lane);
                layout.Wipe(data, lane);
            }

            return IndexChecksum.Compute(bytes, group) - before;
        }
    }

    private long GroupAt(int group, RowGroup layout) => Header.GroupsAt + ((long)group * layout.Stride);

    private long RowAt(int row) => Header.RowsAt + ((long)row * Header.Dimension * sizeof(float));

    private UniFaceException Damaged() => IndexHeader.Unusable(path, "the contents do not match their checksum");

    private static SafeFileHandle OpenHandle(string path, FileAccess access)
    {
        if (!File.Exists(path))
        {
            throw IndexHeader.Unusable(path, "no such index");
        }

        try
        {
            return File.OpenHandle(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UniFaceException($"{path}: belongs to another user ({e.Message}); rebuild the gallery's index as the user of the gallery.", e);
        }
    }

    private IndexHeader ReadHeader()
    {
        long length = RandomAccess.GetLength(handle);
        if (length < IndexHeader.Size)
        {
            throw IndexHeader.Unusable(path, $"{length} bytes are too few for an index");
        }

        byte[] page = new byte[IndexHeader.Size];
        Read(page, 0);
        IndexHeader header = IndexHeader.Parse(page, path);
        return length == header.FileSize
            ? header
            : throw IndexHeader.Unusable(path, $"{length} bytes, expected {header.FileSize} for {header.Rows} rows");
    }

    // Returns the header with the checksums, to be written at the start of the stream.
    private static IndexHeader WriteCodes(Stream stream, IndexHeader header, IReadOnlyList<RowSlot> rows)
    {
        RowGroup layout = new(header.Dimension);
        long[] padding = new long[header.Capacity - rows.Count], ids = [.. rows.Select(r => r.Id), .. padding], keys = [.. rows.Select(r => r.Key), .. padding];

        stream.Position = IndexHeader.Size;
        stream.Write(MemoryMarshal.AsBytes(ids.AsSpan()));
        stream.Position = header.KeysAt;
        stream.Write(MemoryMarshal.AsBytes(keys.AsSpan()));
        stream.Position = header.GroupsAt;
        ulong groups = 0;
        byte[] buffer = new byte[layout.Stride];
        fixed (byte* to = buffer)
        {
            for (int g = 0; g < header.Capacity / RowGroup.Rows; g++)
            {
                layout.Clear(to);
                for (int lane = 0; lane < RowGroup.Rows && (g * RowGroup.Rows) + lane < rows.Count; lane++)
                {
                    rows[(g * RowGroup.Rows) + lane].CopyTo(to, lane);
                }

                groups += IndexChecksum.Compute(buffer, g);
                stream.Write(buffer);
            }
        }

        return header with { GroupsChecksum = groups, NumbersChecksum = NumbersChecksum(ids, keys) };
    }

    // Checksum of the ids and keys, in chunks of 16.
    private static ulong NumbersChecksum(ReadOnlySpan<long> ids, ReadOnlySpan<long> keys)
    {
        ulong sum = 0;
        for (int i = 0; i < ids.Length; i += ChunkRows)
        {
            long chunk = i / ChunkRows;
            sum += IndexChecksum.Compute(MemoryMarshal.AsBytes(ids.Slice(i, ChunkRows)), IdsPlace + chunk)
                + IndexChecksum.Compute(MemoryMarshal.AsBytes(keys.Slice(i, ChunkRows)), KeysPlace + chunk);
        }

        return sum;
    }

    private float[] ReadRow(int row)
    {
        float[] values = new float[Header.Dimension];
        Read(MemoryMarshal.AsBytes(values.AsSpan()), RowAt(row));
        return values;
    }

    private void Read(Span<byte> to, long at)
    {
        while (to.Length > 0)
        {
            int read;
            try
            {
                read = RandomAccess.Read(handle, to, at);
            }
            catch (IOException e)
            {
                throw IndexHeader.Unusable(path, $"cannot be read ({e.Message})", e);
            }

            if (read == 0)
            {
                throw IndexHeader.Unusable(path, "was cut off while it was read");
            }

            to = to[read..];
            at += read;
        }
    }

    // Reads groups, ids and keys, and checks all checksums.
    private RowBlock Load()
    {
        RowBlock block = new(Header.Dimension, Header.Capacity, Header.Rows, ReadRow);
        int stride = block.Layout.Stride, groups = Header.Capacity / RowGroup.Rows;
        ulong sum = 0;
        try
        {
            Read(MemoryMarshal.AsBytes(block.Ids.AsSpan()), IndexHeader.Size);
            Read(MemoryMarshal.AsBytes(block.Keys.AsSpan()), Header.KeysAt);

            // In pieces of megabytes.
            Parallel.ForEach(Partitioner.Create(0, Math.Max(1, groups), 1024), range =>
            {
                ulong part = 0;
                int end = Math.Min(range.Item2, groups);
                Read(new Span<byte>(block.Groups + ((long)range.Item1 * stride), (end - range.Item1) * stride), GroupAt(range.Item1, block.Layout));
                for (int i = range.Item1; i < end; i++)
                {
                    part += IndexChecksum.Compute(new ReadOnlySpan<byte>(block.Groups + ((long)i * stride), stride), i);
                }

                Interlocked.Add(ref sum, part);
            });
            return sum == Header.GroupsChecksum && NumbersChecksum(block.Ids, block.Keys) == Header.NumbersChecksum ? block : throw Damaged();
        }
        catch (AggregateException e) when (e.InnerExceptions[0] is UniFaceException inner)
        {
            block.Dispose();
            throw new UniFaceException(inner.Message, e);
        }
        catch
        {
            block.Dispose();
            throw;
        }
    }
}
