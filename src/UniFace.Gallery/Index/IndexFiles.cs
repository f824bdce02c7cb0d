using System.IO.MemoryMappedFiles;
using Microsoft.Win32.SafeHandles;
using UniFace.IO;

namespace UniFace.Gallery.Index;

/// <summary>
/// A stored index: PATH.codes (ids, keys, codes as a scan reads them) and PATH.rows (the float rows). The codes are read into
/// memory of large pages and checked, because every search reads all of them; the rest is mapped, because a search reads little of it.
/// </summary>
internal sealed unsafe class IndexFiles : IDisposable
{
    private const int Piece = RowGroup.Rows;

    private readonly List<IDisposable> open = [];
    private readonly List<MemoryMappedViewAccessor> views = [];

    private IndexFiles(IndexHeader header)
    {
        Header = header;
    }

    /// <summary>Header of the file of codes.</summary>
    public IndexHeader Header { get; }

    /// <summary>All rows.</summary>
    public RowBlock Block { get; private set; } = null!;

    /// <summary>Name of the file of ids, keys and codes.</summary>
    public static string CodesPath(string path) => path + ".codes";

    /// <summary>Name of the file of float rows.</summary>
    public static string RowsPath(string path) => path + ".rows";

    /// <summary>Maps a stored index after checking that it is whole.</summary>
    /// <exception cref="UniFaceException">A file is missing, of another version, cut off or damaged.</exception>
    public static IndexFiles Open(string path)
    {
        IndexHeader codes = ReadHeader(CodesPath(path), IndexHeader.CodesMagic), rows = ReadHeader(RowsPath(path), IndexHeader.RowsMagic);
        if (codes.Pair != rows.Pair || codes.Dimension != rows.Dimension || codes.Rows != rows.Rows)
        {
            throw new UniFaceException($"{RowsPath(path)}: does not belong to {CodesPath(path)}; rebuild the gallery's index.");
        }

        IndexFiles files = new(codes);
        try
        {
            byte* map = files.Map(CodesPath(path)), values = files.Map(RowsPath(path));
            byte* groups = files.Load(map, CodesPath(path));
            files.Block = RowBlock.Map(codes.Dimension, codes.Capacity, codes.Rows, groups, (float*)(values + IndexHeader.Size), (long*)(map + IndexHeader.Size), (long*)(map + codes.KeysAt));
            return files;
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Writes rows as a stored index, both files whole or the old ones.</summary>
    /// <param name="path">Of the two files, without .codes and .rows.</param>
    /// <param name="dimension">Values in a row.</param>
    /// <param name="rows">The rows in the order of their ids.</param>
    /// <param name="largestNorm">At least the norm of every row and of what stands for it.</param>
    /// <param name="stamp">What it is a picture of.</param>
    public static void Write(string path, int dimension, IReadOnlyList<(RowBlock Block, int Row)> rows, float largestNorm, IndexStamp stamp)
    {
        IndexHeader header = new(IndexHeader.CodesMagic, dimension, rows.Count, largestNorm, Guid.NewGuid(), 0, stamp);
        IndexHeader rowsHeader = header with { Magic = IndexHeader.RowsMagic };

        // The rows first: codes without their rows would be found to be no pair, and be rebuilt.
        AtomicFile.Write(RowsPath(path), stream =>
        {
            stream.Write(rowsHeader.ToBytes());
            foreach ((RowBlock block, int row) in rows)
            {
                stream.Write(new ReadOnlySpan<byte>(block.Values + ((long)row * dimension), dimension * sizeof(float)));
            }

            stream.SetLength(rowsHeader.FileSize);
        }, ownerOnly: true);
        AtomicFile.Write(CodesPath(path), stream => WriteCodes(stream, header, rows), ownerOnly: true);
    }

    /// <summary>Overwrites rows in a stored index, in place, so that nothing of them is left in its files.</summary>
    /// <param name="path">Of the two files.</param>
    /// <param name="ids">Ids of the rows; those that it does not have are passed over.</param>
    public static void Erase(string path, IReadOnlyCollection<long> ids)
    {
        IndexHeader header = ReadHeader(CodesPath(path), IndexHeader.CodesMagic);
        _ = ReadHeader(RowsPath(path), IndexHeader.RowsMagic);
        RowGroup layout = new(header.Dimension);
        using FileStream codes = new(CodesPath(path), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        using FileStream rows = new(RowsPath(path), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        using MemoryMappedFile codesMap = MemoryMappedFile.CreateFromFile(codes, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
        using MemoryMappedViewAccessor view = codesMap.CreateViewAccessor(0, 0, MemoryMappedFileAccess.ReadWrite);
        byte* map = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref map);
        try
        {
            ReadOnlySpan<long> known = new(map + IndexHeader.Size, header.Rows);
            ulong checksum = header.Checksum;
            byte[] zeros = new byte[header.Dimension * sizeof(float)];
            foreach (long id in ids)
            {
                int row = known.BinarySearch(id);
                if (row < 0)
                {
                    continue;
                }

                byte* group = map + header.GroupsAt + ((long)(row / RowGroup.Rows) * layout.Stride);
                ulong before = IndexChecksum.Of(new ReadOnlySpan<byte>(group, layout.Stride), row / RowGroup.Rows);
                layout.Remove(group, row % RowGroup.Rows);
                layout.Wipe(group, row % RowGroup.Rows);
                checksum += IndexChecksum.Of(new ReadOnlySpan<byte>(group, layout.Stride), row / RowGroup.Rows) - before;
                rows.Position = IndexHeader.Size + ((long)row * header.Dimension * sizeof(float));
                rows.Write(zeros);
            }

            (header with { Checksum = checksum }).ToBytes().CopyTo(new Span<byte>(map, IndexHeader.Size));
            view.Flush();
        }
        finally
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        rows.Flush(flushToDisk: true);
        codes.Flush(flushToDisk: true);
    }

    /// <summary>Closes the files; the block must be used no more.</summary>
    public void Dispose()
    {
        foreach (MemoryMappedViewAccessor view in views)
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        views.Clear();
        open.Reverse();
        open.ForEach(o => o.Dispose());
        open.Clear();
    }

    private static IndexHeader ReadHeader(string path, string magic)
    {
        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path}: no such index; rebuild the gallery's index.");
        }

        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] page = new byte[IndexHeader.Size];
        if (file.ReadAtLeast(page, page.Length, throwOnEndOfStream: false) < page.Length)
        {
            throw new UniFaceException($"{path}: {file.Length} bytes are too few for an index; rebuild the gallery's index.");
        }

        IndexHeader header = IndexHeader.Parse(page, magic, path);
        return file.Length == header.FileSize
            ? header
            : throw new UniFaceException($"{path}: {file.Length} bytes, expected {header.FileSize} for {header.Rows} rows; rebuild the gallery's index.");
    }

    private static void WriteCodes(Stream stream, IndexHeader header, IReadOnlyList<(RowBlock Block, int Row)> rows)
    {
        RowGroup layout = new(header.Dimension);
        ulong checksum = 0;
        stream.Write(header.ToBytes());
        WriteNumbers(stream, header, rows, (b, r) => b.Ids[r], 1L << 40, ref checksum);
        stream.Write(new byte[header.KeysAt - stream.Position]);
        WriteNumbers(stream, header, rows, (b, r) => b.Keys[r], 1L << 41, ref checksum);
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

                checksum += IndexChecksum.Of(buffer, g);
                stream.Write(buffer);
            }
        }

        stream.Position = 0;
        stream.Write((header with { Checksum = checksum }).ToBytes());
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
        MemoryMappedViewAccessor view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        open.Add(view);
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        views.Add(view);
        return pointer;
    }

    // Reads the groups and sums all checksums on the way.
    private byte* Load(byte* map, string path)
    {
        int stride = new RowGroup(Header.Dimension).Stride, pieces = Header.Capacity / Piece;
        byte* groups = HugePages.Allocate(Math.Max(1, (long)pieces * stride));
        ulong sum = 0;

        // Read, not copied from the mapping: the disk is asked for megabytes at a time, not for pages.
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            Parallel.ForEach(System.Collections.Concurrent.Partitioner.Create(0, Math.Max(1, pieces), 1024), range =>
            {
                ulong part = 0;
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
                    part += IndexChecksum.Of(new ReadOnlySpan<byte>(group, stride), i)
                        + IndexChecksum.Of(new ReadOnlySpan<byte>(map + IndexHeader.Size + ((long)i * Piece * sizeof(long)), Piece * sizeof(long)), (1L << 40) + i)
                        + IndexChecksum.Of(new ReadOnlySpan<byte>(map + Header.KeysAt + ((long)i * Piece * sizeof(long)), Piece * sizeof(long)), (1L << 41) + i);
                }

                Interlocked.Add(ref sum, part);
            });
        }
        catch (AggregateException e)
        {
            System.Runtime.InteropServices.NativeMemory.AlignedFree(groups);
            throw new UniFaceException($"{path}: cannot be read ({e.InnerExceptions[0].Message}); rebuild the gallery's index.", e);
        }

        if (sum == Header.Checksum)
        {
            return groups;
        }

        System.Runtime.InteropServices.NativeMemory.AlignedFree(groups);
        throw new UniFaceException($"{path}: the contents do not match their checksum; rebuild the gallery's index.");
    }
}
