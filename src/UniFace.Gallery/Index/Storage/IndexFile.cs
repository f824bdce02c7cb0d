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

    private IndexFile(string path, FileAccess access, IndexRange range)
    {
        this.path = path;
        handle = OpenHandle(path, access);
        try
        {
            Header = ReadHeader();
            Block = access == FileAccess.Read ? Load(range) : null!;
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Header of the file.</summary>
    public IndexHeader Header { get; }

    /// <summary>The rows in the range, of a file that is open for reading.</summary>
    public RowBlock Block { get; }

    /// <summary>Opens a stored index and checks it. Of a range, only its rows stay in memory, but the whole file is read and checked.</summary>
    /// <exception cref="UniFaceException">The file is missing, of another version, truncated or damaged.</exception>
    public static IndexFile Open(string path, IndexRange range) => new(path, FileAccess.Read, range);

    /// <summary>Writes rows as a stored index, atomically.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dimension">Values in a row.</param>
    /// <param name="rows">The rows in the order of their ids.</param>
    /// <param name="largestNorm">At least the norm of every row and of its quantized form.</param>
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
    /// Overwrites rows of a stored index in its file and reads them back, so that nothing of them is left; the stamp stays. A kill leaves
    /// an index that is found damaged when it is opened.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="owner">The gallery that the index must belong to: in another gallery the ids are those of other rows.</param>
    /// <param name="ids">Ids of the rows; ids that it does not have are skipped.</param>
    /// <exception cref="UniFaceException">The file is missing, of another version or owner, truncated or damaged; or the rows are still there.</exception>
    public static void Erase(string path, string owner, IReadOnlyCollection<long> ids)
    {
        using IndexFile file = new(path, FileAccess.ReadWrite, IndexRange.All);
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
        if (IdsChecksum(known, keys) != Header.IdsChecksum || checksum == IndexHeader.Erasing)
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
                throw new UniFaceException($"{path}: erased rows are still there when they are read back");
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
            throw new UniFaceException($"{path}: belongs to another user ({e.Message}); rebuild the gallery's index as the user of the gallery", e);
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

        return header with { GroupsChecksum = groups, IdsChecksum = IdsChecksum(ids, keys) };
    }

    // Checksum of the ids and keys, in chunks of 16.
    private static ulong IdsChecksum(ReadOnlySpan<long> ids, ReadOnlySpan<long> keys)
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
                throw IndexHeader.Unusable(path, "the file was truncated while it was read");
            }

            to = to[read..];
            at += read;
        }
    }

    // Reads groups, ids and keys, and checks all checksums. Keeps the rows in the range.
    private RowBlock Load(IndexRange range)
    {
        const int Aligned = 2 * RowGroup.Rows; // A scan takes two groups at a time.
        long[] ids = new long[Header.Capacity], keys = new long[Header.Capacity];
        Read(MemoryMarshal.AsBytes(ids.AsSpan()), IndexHeader.Size);
        Read(MemoryMarshal.AsBytes(keys.AsSpan()), Header.KeysAt);
        int first = FirstRow(range.First), end = FirstRow(range.End), start = first / Aligned * Aligned;
        int capacity = Math.Min(Header.Capacity, (end + Aligned - 1) / Aligned * Aligned) - start;
        RowBlock block = new(Header.Dimension, capacity, Math.Min(Header.Rows - start, capacity), row => ReadRow(start + row));
        int stride = block.Layout.Stride, before = start / RowGroup.Rows, kept = capacity / RowGroup.Rows;
        ulong sum = 0;
        try
        {
            ids.AsSpan(start, capacity).CopyTo(block.Ids);
            keys.AsSpan(start, capacity).CopyTo(block.Keys);

            // In pieces of megabytes.
            ParallelLoop.RunRanges(Header.Capacity / RowGroup.Rows, 1024, (from, to) =>
            {
                ulong part = 0;
                int keepFrom = Math.Max(from, before), keepTo = Math.Max(keepFrom, Math.Min(to, before + kept));
                Read(new Span<byte>(block.Groups + ((long)(keepFrom - before) * stride), (keepTo - keepFrom) * stride), GroupAt(keepFrom, block.Layout));
                byte[] other = keepFrom == from && keepTo == to ? [] : new byte[stride];
                for (int i = from; i < to; i++)
                {
                    bool keep = i >= keepFrom && i < keepTo;
                    Span<byte> group = keep ? new Span<byte>(block.Groups + ((long)(i - before) * stride), stride) : other;
                    if (!keep)
                    {
                        Read(group, GroupAt(i, block.Layout));
                    }

                    part += IndexChecksum.Compute(group, i);
                }

                Interlocked.Add(ref sum, part);
            });
            if (sum != Header.GroupsChecksum || IdsChecksum(ids, keys) != Header.IdsChecksum)
            {
                throw Damaged();
            }

            // Rows of other ranges in the first and the last group.
            for (int row = 0; row < block.Used; row++)
            {
                if (!range.Contains(block.Ids[row]))
                {
                    new RowSlot(block, row).Remove();
                }
            }

            return block;
        }
        catch
        {
            block.Dispose();
            throw;
        }

        int FirstRow(long id)
        {
            int row = ids.AsSpan(0, Header.Rows).BinarySearch(id);
            return row < 0 ? ~row : row;
        }
    }
}
