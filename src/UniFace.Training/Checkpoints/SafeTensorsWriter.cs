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
            TensorMemory.ForEachChunk(tensor, bytes => Put(bytes));
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

    private static byte[] Header(List<(string Name, Tensor Tensor, int Size)> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        OrderedDictionary<string, string> texts = new() { ["sha256"] = Encoding.ASCII.GetString(NoChecksum) };
        foreach ((string key, string value) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
        {
            texts.Add(key, value);
        }

        OrderedDictionary<string, object> header = new() { ["__metadata__"] = texts };
        long offset = 0;
        foreach ((string name, Tensor tensor, int size) in tensors)
        {
            long end = offset + (tensor.numel() * size);
            header.Add(name, new { dtype = SafeTensorsType.Describe(tensor.dtype).Name, tensor.shape, data_offsets = new[] { offset, end } });
            offset = end;
        }

        byte[] json = JsonSerializer.SerializeToUtf8Bytes(header);
        return [.. json, .. Enumerable.Repeat((byte)' ', -json.Length & 7)];
    }
}
