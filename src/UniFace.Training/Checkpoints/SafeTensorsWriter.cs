using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using UniFace.IO;
using static TorchSharp.torch;

namespace UniFace.Training.Checkpoints;

/// <summary>
/// Writes the safetensors format: 8 bytes length of the header (little endian), the header as JSON padded with spaces
/// to a multiple of 8, then the tensors' bytes without a gap. Any safetensors reader opens the file. The first text of its metadata
/// is the SHA-256 of the whole file, taken with zeros in its own place.
/// </summary>
public static class SafeTensorsWriter
{
    /// <summary>How the header of a file with a checksum begins; the checksum's hexadecimal digits follow.</summary>
    internal static ReadOnlySpan<byte> ChecksumPrefix => "{\"__metadata__\":{\"sha256\":\""u8;

    private const int ChunkBytes = 1 << 26;
    private static readonly byte[] NoChecksum = Enumerable.Repeat((byte)'0', 2 * SHA256.HashSizeInBytes).ToArray();

    /// <summary>Writes tensors and metadata to a file, atomically.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">The tensors by name; they are read, not kept, on whatever device they are.</param>
    /// <param name="metadata">Text by name, stored under <c>__metadata__</c>.</param>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata) =>
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata));

    /// <summary>Writes tensors and metadata to a stream that can seek.</summary>
    public static void Write(Stream stream, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(metadata);

        // Wide elements first keeps every tensor aligned to its element, as the format's own writer does.
        List<(string Name, Tensor Tensor, int Size)> order = [.. tensors
            .Select(t => (t.Key, t.Value, SafeTensorsType.Of(t.Value.dtype).Size))
            .OrderByDescending(t => t.Size)
            .ThenBy(t => t.Key, StringComparer.Ordinal)];
        byte[] header = Header(order, metadata);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Put(ReadOnlySpan<byte> bytes)
        {
            hash.AppendData(bytes);
            stream.Write(bytes);
        }

        long start = stream.Position;
        Put(length);
        Put(header);
        foreach ((string _, Tensor tensor, int _) in order)
        {
            ForEachChunk(tensor, Put);
        }

        stream.Position = start + length.Length + ChecksumPrefix.Length;
        stream.Write(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(hash.GetHashAndReset())));
        stream.Seek(0, SeekOrigin.End);
    }

    /// <summary>True if a header begins with a checksum; clears it, as it was when the file was hashed.</summary>
    internal static bool TakeChecksum(Span<byte> header, out string checksum)
    {
        checksum = "";
        if (header.Length < ChecksumPrefix.Length + NoChecksum.Length || !header.StartsWith(ChecksumPrefix))
        {
            return false;
        }

        Span<byte> digits = header.Slice(ChecksumPrefix.Length, NoChecksum.Length);
        checksum = Encoding.Latin1.GetString(digits);
        NoChecksum.CopyTo(digits);
        return true;
    }

    /// <summary>Hands over a tensor's bytes in row-major order, in pieces, without a second copy of a CPU tensor.</summary>
    internal static void ForEachChunk(Tensor tensor, Action<ReadOnlySpan<byte>> take)
    {
        if (tensor.numel() == 0)
        {
            return;
        }

        using Tensor detached = tensor.detach();
        using Tensor here = detached.cpu();
        using Tensor rows = here.contiguous();
        using Tensor flat = rows.view(-1);
        long chunk = ChunkBytes / SafeTensorsType.Of(tensor.dtype).Size;
        for (long start = 0; start < flat.numel(); start += chunk)
        {
            using Tensor piece = flat.narrow(0, start, Math.Min(chunk, flat.numel() - start));
            take(piece.bytes);
        }
    }

    private static byte[] Header(List<(string Name, Tensor Tensor, int Size)> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using MemoryStream buffer = new();
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("sha256", NoChecksum);
            foreach ((string key, string value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
            long offset = 0;
            foreach ((string name, Tensor tensor, int size) in tensors)
            {
                long end = offset + (tensor.numel() * size);
                json.WriteStartObject(name);
                json.WriteString("dtype", SafeTensorsType.Of(tensor.dtype).Name);
                json.WriteStartArray("shape");
                foreach (long side in tensor.shape)
                {
                    json.WriteNumberValue(side);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                offset = end;
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }
}
