using System.Numerics;

namespace UniFace.Gallery.Index.Storage;

/// <summary>
/// A checksum that can be updated when one chunk changes: the sum over all chunks of a mix of the chunk's four interleaved CRC-32C values and
/// its place. It detects damage, not manipulation.
/// </summary>
internal static class IndexChecksum
{
    /// <summary>What a chunk adds to the sum.</summary>
    /// <param name="chunk">A multiple of eight bytes.</param>
    /// <param name="place">Its place in the file.</param>
    public static ulong Compute(ReadOnlySpan<byte> chunk, long place)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(chunk);
        uint a = 1, b = 2, c = 3, d = 4;
        int i = 0;
        for (; i + 4 <= words.Length; i += 4)
        {
            a = BitOperations.Crc32C(a, words[i]);
            b = BitOperations.Crc32C(b, words[i + 1]);
            c = BitOperations.Crc32C(c, words[i + 2]);
            d = BitOperations.Crc32C(d, words[i + 3]);
        }

        for (; i < words.Length; i++)
        {
            a = BitOperations.Crc32C(a, words[i]);
        }

        return SeededRandom.Mix(SeededRandom.Mix(((ulong)a << 32) | b) ^ (((ulong)c << 32) | d) ^ ((ulong)place * 0x9E3779B97F4A7C15));
    }
}
