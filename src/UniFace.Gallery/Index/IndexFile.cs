using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using UniFace.IO;

namespace UniFace.Gallery.Index;

/// <summary>
/// A stored index: ids, keys, codes as a scan reads them, float rows. One file, so that one rename replaces it whole. The codes are read into
/// memory of large pages and checked, because every search reads all of them; the float rows are read when they are asked for, because a search needs few.
/// Nothing is mapped: where another process cuts the file off, reading is an error, but touching a mapping kills the process (SIGBUS).
/// </summary>
internal sealed unsafe class IndexFile : IDisposable
{
    private const int Piece = RowGroup.Rows;
    private const long IdsPlace = 1L << 40, KeysPlace = 1L << 41;

    private readonly string path;
    private readonly SafeFileHandle handle;

    private IndexFile(string path, IndexHeader header)
    {
        (this.path, Header) = (path, header);
        handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <summary>Header of the file.</summary>
    public IndexHeader Header { get; }

    /// <summary>All rows.</summary>
    public RowBlock Block { get; private set; } = null!;

    /// <summary>Opens a stored index after checking that it is whole.</summary>
    /// <exception cref="UniFaceException">The file is missing, of another version, cut off or damaged.</exception>
    public static IndexFile Open(string path)
    {
        IndexHeader header = ReadHeader(path);
        IndexFile file = new(path, header);
        try
        {
            file.Block = file.Load();
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes rows as a stored index, the file whole or the old one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="dimension">Values in a row.</param>
    /// <param name="rows">The rows in the order of their ids.</param>
    /// <param name="largestNorm">At least the norm of every row and of what stands for it.</param>
    /// <param name="stamp">What it is a picture of.</param>
    public static void Write(string path, int dimension, IReadOnlyList<(RowBlock Block, int Row)> rows, float largestNorm, IndexStamp stamp)
    {
        IndexHeader header = new(dimension, rows.Count, largestNorm, 0, 0, stamp);
        AtomicFile.Write(
            path,
            stream =>
            {
                header = WriteCodes(stream, header, rows);
                stream.Write(new byte[header.RowsAt - stream.Position]);
                foreach ((RowBlock block, int row) in rows)
                {
                    stream.Write(MemoryMarshal.AsBytes(block.Row(row)));
                }

                stream.SetLength(header.FileSize);
                stream.Position = 0;
                stream.Write(header.ToBytes());
            },
            ownerOnly: true);
    }

    /// <summary>Overwrites rows of a stored index in place, so that nothing of them is left in its file, and reads them back.</summary>
    /// <param name="path">The file.</param>
    /// <param name="owner">The gallery that the index must belong to: the ids of another gallery mean other rows.</param>
    /// <param name="ids">Ids of the rows; those that it does not have are passed over.</param>
    /// <exception cref="UniFaceException">The file is missing, of another version or owner, cut off or damaged; or the rows are still there.</exception>
    public static void Erase(string path, string owner, IReadOnlyCollection<long> ids)
    {
        IndexHeader header = ReadHeader(path);
        if (header.Stamp.Owner != owner)
        {
            throw new UniFaceException($"{path}: an index of another gallery; rebuild the gallery's index.");
        }

        RowGroup layout = new(header.Dimension);
        List<int> rows = [];
        using (FileStream file = OpenFile(path, FileAccess.ReadWrite))
        {
            SafeFileHandle handle = file.SafeFileHandle;
            long[] known = new long[header.Capacity], keys = new long[header.Capacity];
            ReadWhole(handle, MemoryMarshal.AsBytes(known.AsSpan()), IndexHeader.Size, path);
            ReadWhole(handle, MemoryMarshal.AsBytes(keys.AsSpan()), header.KeysAt, path);
            ulong numbers = 0, checksum = header.GroupsChecksum;
            for (int i = 0; i < header.Capacity / Piece; i++)
            {
                numbers += Numbers(known, keys, i);
            }

            if (numbers != header.NumbersChecksum || checksum == IndexHeader.Erasing)
            {
                throw Damaged(path);
            }

            RandomAccess.Write(handle, (header with { GroupsChecksum = IndexHeader.Erasing }).ToBytes(), 0);
            RandomAccess.FlushToDisk(handle);
            byte[] bytes = new byte[layout.Stride], zeros = new byte[header.Dimension * sizeof(float)];
            foreach (long id in ids)
            {
                int row = known.AsSpan(0, header.Rows).BinarySearch(id);
                if (row < 0)
                {
                    continue;
                }

                int place = row / RowGroup.Rows;
                long at = header.GroupsAt + ((long)place * layout.Stride);
                ReadWhole(handle, bytes, at, path);
                ulong before = IndexChecksum.Of(bytes, place);
                fixed (byte* group = bytes)
                {
                    layout.Remove(group, row % RowGroup.Rows);
                    layout.Wipe(group, row % RowGroup.Rows);
                }

                checksum += IndexChecksum.Of(bytes, place) - before;
                RandomAccess.Write(handle, bytes, at);
                RandomAccess.Write(handle, zeros, header.RowsAt + ((long)row * zeros.Length));
                rows.Add(row);
            }

            RandomAccess.FlushToDisk(handle);
            RandomAccess.Write(handle, (header with { GroupsChecksum = checksum }).ToBytes(), 0);
            RandomAccess.FlushToDisk(handle);
        }

        EnsureErased(path, rows);
    }

    private static void EnsureErased(string path, List<int> rows)
    {
        IndexHeader header = ReadHeader(path);
        RowGroup layout = new(header.Dimension);
        byte[] group = new byte[layout.Stride], values = new byte[header.Dimension * sizeof(float)];
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        foreach (int row in rows)
        {
            int lane = row % RowGroup.Rows;
            bool read = RandomAccess.Read(file, group, header.GroupsAt + ((long)(row / RowGroup.Rows) * layout.Stride)) == group.Length
                && RandomAccess.Read(file, values, header.RowsAt + ((long)row * values.Length)) == values.Length;
            bool coded = Enumerable.Range(0, layout.Padded).Any(d => group[(d / 4 * RowGroup.Rows * 4) + (lane * 4) + (d % 4)] != RowGroup.Zero);
            if (!read || coded || values.AsSpan().ContainsAnyExcept((byte)0))
            {
                throw new UniFaceException($"{path}: rows that were erased are still there when they are read again.");
            }
        }
    }

    /// <summary>Closes the file; the block must be used no more.</summary>
    public void Dispose() => handle.Dispose();

    private static UniFaceException Damaged(string path) => new($"{path}: the contents do not match their checksum; rebuild the gallery's index.");

    private static FileStream OpenFile(string path, FileAccess access)
    {
        try
        {
            return new FileStream(path, FileMode.Open, access, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UniFaceException($"{path}: belongs to another user ({e.Message}); rebuild the gallery's index as the user of the gallery.", e);
        }
    }

    private static IndexHeader ReadHeader(string path)
    {
        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path}: no such index; rebuild the gallery's index.");
        }

        using FileStream file = OpenFile(path, FileAccess.Read);
        byte[] page = new byte[IndexHeader.Size];
        if (file.ReadAtLeast(page, page.Length, throwOnEndOfStream: false) < page.Length)
        {
            throw new UniFaceException($"{path}: {file.Length} bytes are too few for an index; rebuild the gallery's index.");
        }

        IndexHeader header = IndexHeader.Parse(page, path);
        return file.Length == header.FileSize
            ? header
            : throw new UniFaceException($"{path}: {file.Length} bytes, expected {header.FileSize} for {header.Rows} rows; rebuild the gallery's index.");
    }

    // The header gets its place and, with the checksums, is returned to be written there.
    private static IndexHeader WriteCodes(Stream stream, IndexHeader header, IReadOnlyList<(RowBlock Block, int Row)> rows)
    {
        RowGroup layout = new(header.Dimension);
        ulong groups = 0, numbers = 0;
        stream.Write(new byte[IndexHeader.Size]);
        WriteNumbers(stream, header, rows, (b, r) => b.Ids[r], IdsPlace, ref numbers);
        stream.Write(new byte[header.KeysAt - stream.Position]);
        WriteNumbers(stream, header, rows, (b, r) => b.Keys[r], KeysPlace, ref numbers);
        stream.Write(new byte[header.GroupsAt - stream.Position]);
        byte[] buffer = new byte[layout.Stride];
        fixed (byte* to = buffer)
        {
            for (int g = 0; g < header.Capacity / RowGroup.Rows; g++)
            {
                layout.Clear(to);
                for (int lane = 0; lane < RowGroup.Rows && (g * RowGroup.Rows) + lane < rows.Count; lane++)
                {
                    (RowBlock block, int row) = rows[(g * RowGroup.Rows) + lane];
                    layout.Copy(block.GroupOf(row), row % RowGroup.Rows, to, lane);
                }

                groups += IndexChecksum.Of(buffer, g);
                stream.Write(buffer);
            }
        }

        return header with { GroupsChecksum = groups, NumbersChecksum = numbers };
    }

    // What 16 ids and 16 keys add to their checksum.
    private static ulong Numbers(ReadOnlySpan<long> ids, ReadOnlySpan<long> keys, int piece) =>
        IndexChecksum.Of(MemoryMarshal.AsBytes(ids.Slice(piece * Piece, Piece)), IdsPlace + piece)
        + IndexChecksum.Of(MemoryMarshal.AsBytes(keys.Slice(piece * Piece, Piece)), KeysPlace + piece);

    private static void ReadWhole(SafeFileHandle file, Span<byte> to, long at, string path)
    {
        while (to.Length > 0)
        {
            int read;
            try
            {
                read = RandomAccess.Read(file, to, at);
            }
            catch (IOException e)
            {
                throw new UniFaceException($"{path}: cannot be read ({e.Message}); rebuild the gallery's index.", e);
            }

            if (read == 0)
            {
                throw new UniFaceException($"{path}: was cut off while it was read; rebuild the gallery's index.");
            }

            to = to[read..];
            at += read;
        }
    }

    private float[] ReadRow(int row)
    {
        float[] values = new float[Header.Dimension];
        ReadWhole(handle, MemoryMarshal.AsBytes(values.AsSpan()), Header.RowsAt + ((long)row * values.Length * sizeof(float)), path);
        return values;
    }

    private static void WriteNumbers(Stream stream, IndexHeader header, IReadOnlyList<(RowBlock Block, int Row)> rows, Func<RowBlock, int, long> number, long place, ref ulong checksum)
    {
        long[] piece = new long[Piece];
        for (int first = 0; first < header.Capacity; first += Piece)
        {
            for (int i = 0; i < Piece; i++)
            {
                piece[i] = first + i < rows.Count ? number(rows[first + i].Block, rows[first + i].Row) : 0;
            }

            ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes<long>(piece);
            checksum += IndexChecksum.Of(bytes, place + (first / Piece));
            stream.Write(bytes);
        }
    }

    // Reads groups, ids and keys, and sums all checksums on the way.
    private RowBlock Load()
    {
        int stride = new RowGroup(Header.Dimension).Stride, pieces = Header.Capacity / Piece;
        byte* groups = HugePages.Allocate(Math.Max(1, (long)pieces * stride));
        nuint capacity = (nuint)Math.Max(1, Header.Capacity);
        long* ids = (long*)NativeMemory.Alloc(capacity, sizeof(long)), keys = (long*)NativeMemory.Alloc(capacity, sizeof(long));
        RowBlock block = RowBlock.Stored(Header.Dimension, Header.Capacity, Header.Rows, groups, ids, keys, ReadRow);
        ulong sum = 0, numbers = 0;
        try
        {
            ReadWhole(handle, new Span<byte>(ids, Header.Capacity * sizeof(long)), IndexHeader.Size, path);
            ReadWhole(handle, new Span<byte>(keys, Header.Capacity * sizeof(long)), Header.KeysAt, path);

            // The disk is asked for megabytes at a time.
            Parallel.ForEach(System.Collections.Concurrent.Partitioner.Create(0, Math.Max(1, pieces), 1024), range =>
            {
                ulong part = 0, partNumbers = 0;
                int end = Math.Min(range.Item2, pieces);
                Span<byte> some = new(groups + ((long)range.Item1 * stride), (end - range.Item1) * stride);
                ReadWhole(handle, some, Header.GroupsAt + ((long)range.Item1 * stride), path);
                for (int i = range.Item1; i < end; i++)
                {
                    part += IndexChecksum.Of(new ReadOnlySpan<byte>(groups + ((long)i * stride), stride), i);
                    partNumbers += Numbers(new ReadOnlySpan<long>(ids, Header.Capacity), new ReadOnlySpan<long>(keys, Header.Capacity), i);
                }

                Interlocked.Add(ref sum, part);
                Interlocked.Add(ref numbers, partNumbers);
            });
            return sum == Header.GroupsChecksum && numbers == Header.NumbersChecksum ? block : throw Damaged(path);
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
