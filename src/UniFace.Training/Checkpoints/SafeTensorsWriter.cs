using static TorchSharp.torch;

namespace UniFace.Training.Checkpoints;

/// <summary>
/// Writes the safetensors format: the length of the header (8 bytes, little endian), the header as JSON padded with spaces to a multiple of 8,
/// and the bytes of the tensors without gaps. Any safetensors reader opens the file. The first text of its metadata is the SHA-256 of the whole
/// file, computed with zeros in place of the hash.
/// </summary>
internal static class SafeTensorsWriter
{
    /// <summary>Start of the header of a file with a checksum, before its hexadecimal digits.</summary>
    internal static ReadOnlySpan<byte> ChecksumPrefix => "{\"__metadata__\":{\"sha256\":\""u8;

    private const int ChunkBytes = 1 << 26;
    private static readonly byte[] NoChecksum = Enumerable.Repeat((byte)'0', 2 * SHA256.HashSizeInBytes).ToArray();

    /// <summary>Writes tensors and metadata to a file, atomically.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">The tensors by name, on any device; not kept.</param>
    /// <param name="metadata">Text by name, stored in <c>__metadata__</c>.</param>
    public static void Write(string path, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata) =>
        AtomicFile.Write(path, stream => Write(stream, tensors, metadata));

    /// <summary>Writes tensors and metadata to a seekable stream.</summary>
    public static void Write(Stream stream, IReadOnlyDictionary<string, Tensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        // Wide elements first, so that every tensor is aligned to its element size, as the reference writer does.
        List<(string Name, Tensor Tensor, int Size)> order = [.. tensors
            .Select(t => (t.Key, t.Value, SafeTensorsType.Describe(t.Value.dtype).Size))
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

    /// <summary>True if a header begins with a checksum, which is then set to zeros, as when the file was hashed.</summary>
    internal static bool ExtractChecksum(Span<byte> header, out string checksum)
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

    /// <summary>Passes the bytes of a tensor in row-major order, in chunks, without copying a CPU tensor.</summary>
    internal static void ForEachChunk(Tensor tensor, Action<ReadOnlySpan<byte>> write)
    {
        if (tensor.numel() == 0)
        {
            return;
        }

        using Tensor detached = tensor.detach();
        using Tensor here = detached.cpu();
        using Tensor rows = here.contiguous();
        using Tensor flat = rows.view(-1);
        long chunk = ChunkBytes / SafeTensorsType.Describe(tensor.dtype).Size;
        for (long start = 0; start < flat.numel(); start += chunk)
        {
            using Tensor piece = flat.narrow(0, start, Math.Min(chunk, flat.numel() - start));
            write(piece.bytes);
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
                json.WriteString("dtype", SafeTensorsType.Describe(tensor.dtype).Name);
                json.WriteStartArray("shape");
                foreach (long dimension in tensor.shape)
                {
                    json.WriteNumberValue(dimension);
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
