using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace UniFace.Gallery.Index;

/// <summary>
/// The first page of an index file: magic, version, dimension, rows, change, checksums of the groups and of ids and keys,
/// owner and contract, SHA-256 of all that. Little-endian.
/// </summary>
internal sealed record IndexHeader(int Dimension, int Rows, float LargestNorm, ulong GroupsChecksum, ulong NumbersChecksum, IndexStamp Stamp)
{
    /// <summary>Bytes of a header; what follows is aligned to it.</summary>
    public const int Size = 4096;

    /// <summary>The groups' checksum while rows are being erased: a kill leaves it.</summary>
    public const ulong Erasing = ulong.MaxValue;

    private const int Version = 2, TextBytes = 512, HashAt = Size - 32;

    /// <summary>Rows with padding to whole pairs of groups.</summary>
    public int Capacity => (Rows + (2 * RowGroup.Rows) - 1) / (2 * RowGroup.Rows) * (2 * RowGroup.Rows);

    /// <summary>Where the keys start.</summary>
    public long KeysAt => Aligned(Size + ((long)Capacity * sizeof(long)));

    /// <summary>Where the groups start.</summary>
    public long GroupsAt => Aligned(KeysAt + ((long)Capacity * sizeof(long)));

    /// <summary>Where the float rows start.</summary>
    public long RowsAt => Aligned(GroupsAt + ((long)Capacity / RowGroup.Rows * new RowGroup(Dimension).Stride));

    /// <summary>Bytes of the whole file.</summary>
    public long FileSize => RowsAt + ((long)Capacity * Dimension * sizeof(float));

    private static ReadOnlySpan<byte> Magic => "UFIDXALL"u8;

    /// <summary>The header as bytes.</summary>
    public byte[] ToBytes()
    {
        byte[] page = new byte[Size];
        Magic.CopyTo(page);
        BinaryPrimitives.WriteInt32LittleEndian(page.AsSpan(8), Version);
        BinaryPrimitives.WriteInt32LittleEndian(page.AsSpan(12), Dimension);
        BinaryPrimitives.WriteInt32LittleEndian(page.AsSpan(16), Rows);
        BinaryPrimitives.WriteSingleLittleEndian(page.AsSpan(20), LargestNorm);
        BinaryPrimitives.WriteInt64LittleEndian(page.AsSpan(24), Stamp.Change);
        BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(32), GroupsChecksum);
        BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(40), NumbersChecksum);
        Put(page.AsSpan(64), Stamp.Owner);
        Put(page.AsSpan(64 + TextBytes), Stamp.ContractId);
        SHA256.HashData(page.AsSpan(0, HashAt), page.AsSpan(HashAt));
        return page;
    }

    /// <summary>Reads a header.</summary>
    /// <param name="page">The first <see cref="Size"/> bytes.</param>
    /// <param name="path">What to call it in an error.</param>
    /// <exception cref="UniFaceException">It is another file, of another version, or damaged.</exception>
    public static IndexHeader Parse(ReadOnlySpan<byte> page, string path)
    {
        if (!page[..8].SequenceEqual(Magic) || BinaryPrimitives.ReadInt32LittleEndian(page[8..]) != Version)
        {
            throw new UniFaceException($"{path}: not an index of this version; rebuild the gallery's index.");
        }

        if (!SHA256.HashData(page[..HashAt]).AsSpan().SequenceEqual(page[HashAt..]))
        {
            throw new UniFaceException($"{path}: the header is damaged; rebuild the gallery's index.");
        }

        IndexHeader header = new(
            BinaryPrimitives.ReadInt32LittleEndian(page[12..]),
            BinaryPrimitives.ReadInt32LittleEndian(page[16..]),
            BinaryPrimitives.ReadSingleLittleEndian(page[20..]),
            BinaryPrimitives.ReadUInt64LittleEndian(page[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(page[40..]),
            new IndexStamp(Get(page[64..]), Get(page[(64 + TextBytes)..]), BinaryPrimitives.ReadInt64LittleEndian(page[24..])));
        return header is { Dimension: >= 1 and <= 65536, Rows: >= 0 and <= int.MaxValue - 64, LargestNorm: >= 0 and < 1e9f }
            ? header
            : throw new UniFaceException($"{path}: {header.Rows} rows of {header.Dimension} values are no index; rebuild the gallery's index.");
    }

    private static long Aligned(long at) => (at + Size - 1) / Size * Size;

    private static void Put(Span<byte> to, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, TextBytes - 2, nameof(text));
        BinaryPrimitives.WriteUInt16LittleEndian(to, (ushort)bytes.Length);
        bytes.CopyTo(to[2..]);
    }

    private static string Get(ReadOnlySpan<byte> from) => Encoding.UTF8.GetString(from.Slice(2, Math.Min((int)BinaryPrimitives.ReadUInt16LittleEndian(from), TextBytes - 2)));
}
