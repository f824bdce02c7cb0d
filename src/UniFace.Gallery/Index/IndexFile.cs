using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using UniFace.IO;

namespace UniFace.Gallery.Index;

/// <summary>
/// A stored index: ids, keys, codes as a scan reads them, float rows. One file, so that one rename replaces it whole. The codes are read into
/// memory of large pages and checked, because every search reads all of them; the rest is mapped, because a search reads little of it.
/// </summary>
internal sealed unsafe class IndexFile : IDisposable
{
    private const int Piece = RowGroup.Rows;
    private const long IdsPlace = 1L << 40, KeysPlace = 1L << 41;

    private readonly List<IDisposable> open = [];
    private MemoryMappedViewAccessor? view;

    private IndexFile(IndexHeader header)
    {
        Header = header;
    }

    /// <summary>Header of the file.</summary>
    public IndexHeader Header { get; }

    /// <summary>All rows.</summary>
    public RowBlock Block { get; private set; } = null!;

    /// <summary>Maps a stored index after checking that it is whole.</summary>
    /// <exception cref="UniFaceException">The file is missing, of another version, cut off or damaged.</exception>
    public static IndexFile Open(string path)
    {
        IndexHeader header = ReadHeader(path);
        IndexFile file = new(header);
        try
        {
            byte* map = file.Map(path), groups = file.Load(map, path);
            file.Block = RowBlock.Map(header.Dimension, header.Capacity, header.Rows, groups, (float*)(map + header.RowsAt), (long*)(map + IndexHeader.Size), (long*)(map + header.KeysAt));
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
                    stream.Write(new ReadOnlySpan<byte>(block.Values + ((long)row * dimension), dimension * sizeof(float)));
                }

                stream.SetLength(header.FileSize);
                stream.Position = 0;
                stream.Write(header.ToBytes());
            },
            ownerOnly: true);
    }

    /// <summary>Overwrites rows of a stored index in place, so that nothing of them is left in its file, and reads them back.</summary>
    /// <param name="path">The file.</param>
    /// <param name="owner">Whose index it must be: the ids of others mean other rows.</param>
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
        using (MemoryMappedFile memory = MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true))
        using (MemoryMappedViewAccessor view = memory.CreateViewAccessor(0, 0, MemoryMappedFileAccess.ReadWrite))
        {
            byte* map = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref map);
            try
            {
                ulong numbers = 0, checksum = header.GroupsChecksum;
                for (int i = 0; i < header.Capacity / Piece; i++)
                {
                    numbers += Numbers(map, header, i);
                }

                if (numbers != header.NumbersChecksum || checksum == IndexHeader.Erasing)
                {
                    throw Damaged(path);
                }

                file.Write((header with { GroupsChecksum = IndexHeader.Erasing }).ToBytes());
                file.Flush(flushToDisk: true);

                foreach (long id in ids)
                {
                    int row = new ReadOnlySpan<long>(map + IndexHeader.Size, header.Rows).BinarySearch(id);
                    if (row < 0)
                    {
                        continue;
                    }

                    byte* group = map + header.GroupsAt + ((long)(row / RowGroup.Rows) * layout.Stride);
                    ulong before = IndexChecksum.Of(new ReadOnlySpan<byte>(group, layout.Stride), row / RowGroup.Rows);
                    layout.Remove(group, row % RowGroup.Rows);
                    layout.Wipe(group, row % RowGroup.Rows);
                    checksum += IndexChecksum.Of(new ReadOnlySpan<byte>(group, layout.Stride), row / RowGroup.Rows) - before;
                    new Span<float>(map + header.RowsAt + ((long)row * header.Dimension * sizeof(float)), header.Dimension).Clear();
                    rows.Add(row);
                }

                (header with { GroupsChecksum = checksum }).ToBytes().CopyTo(new Span<byte>(map, IndexHeader.Size));
                view.Flush();
            }
            finally
            {
                view.SafeMemoryMappedViewHandle.ReleasePointer();
            }

            file.Flush(flushToDisk: true);
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
    public void Dispose()
    {
        view?.SafeMemoryMappedViewHandle.ReleasePointer();
        view = null;
        open.Reverse();
        open.ForEach(o => o.Dispose());
        open.Clear();
    }

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
    private static ulong Numbers(byte* map, IndexHeader header, int piece)
    {
        long at = (long)piece * Piece * sizeof(long);
        return IndexChecksum.Of(new ReadOnlySpan<byte>(map + IndexHeader.Size + at, Piece * sizeof(long)), IdsPlace + piece)
            + IndexChecksum.Of(new ReadOnlySpan<byte>(map + header.KeysAt + at, Piece * sizeof(long)), KeysPlace + piece);
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

            ReadOnlySpan<byte> bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(piece);
            checksum += IndexChecksum.Of(bytes, place + (first / Piece));
            stream.Write(bytes);
        }
    }

    private byte* Map(string path)
    {
        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        open.Add(stream);
        MemoryMappedFile file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        open.Add(file);
        view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        open.Add(view);
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        return pointer;
    }

    // Reads the groups and sums all checksums on the way.
    private byte* Load(byte* map, string path)
    {
        int stride = new RowGroup(Header.Dimension).Stride, pieces = Header.Capacity / Piece;
        byte* groups = HugePages.Allocate(Math.Max(1, (long)pieces * stride));
        ulong sum = 0, numbers = 0;

        // Read, not copied from the mapping: the disk is asked for megabytes at a time, not for pages.
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            Parallel.ForEach(System.Collections.Concurrent.Partitioner.Create(0, Math.Max(1, pieces), 1024), range =>
            {
                ulong part = 0, partNumbers = 0;
                int end = Math.Min(range.Item2, pieces);
                Span<byte> some = new(groups + ((long)range.Item1 * stride), (end - range.Item1) * stride);
                for (long at = Header.GroupsAt + ((long)range.Item1 * stride); some.Length > 0;)
                {
                    int read = RandomAccess.Read(file, some, at);
                    if (read == 0)
                    {
                        throw new EndOfStreamException("cut off while it was read");
                    }

                    some = some[read..];
                    at += read;
                }

                for (int i = range.Item1; i < end; i++)
                {
                    byte* group = groups + ((long)i * stride);
                    part += IndexChecksum.Of(new ReadOnlySpan<byte>(group, stride), i);
                    partNumbers += Numbers(map, Header, i);
                }

                Interlocked.Add(ref sum, part);
                Interlocked.Add(ref numbers, partNumbers);
            });
        }
        catch (AggregateException e)
        {
            System.Runtime.InteropServices.NativeMemory.AlignedFree(groups);
            throw new UniFaceException($"{path}: cannot be read ({e.InnerExceptions[0].Message}); rebuild the gallery's index.", e);
        }

        if (sum == Header.GroupsChecksum && numbers == Header.NumbersChecksum)
        {
            return groups;
        }

        System.Runtime.InteropServices.NativeMemory.AlignedFree(groups);
        throw Damaged(path);
    }
}
