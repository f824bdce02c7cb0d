namespace UniFace.Training.Checkpoints;

/// <summary>
/// A safetensors file opened for reading. The whole header is checked before any tensor is allocated: types, shapes, and that the tensors cover
/// the data exactly, without gap or overlap. If the file contains its own SHA-256, the file is read and compared first.
/// </summary>
internal sealed class SafeTensorsFile : IDisposable
{
    private const long MaxHeader = 100_000_000;
    private readonly FileStream stream;
    private readonly long dataStart;

    private SafeTensorsFile(FileStream stream, string path, bool headerOnly = false)
    {
        this.stream = stream;
        Path = path;
        byte[] header = ReadHeader();
        dataStart = 8 + header.Length;
        HasChecksum = !headerOnly && Verify(header);
        (Entries, Metadata) = Parse(header);
        if (!headerOnly)
        {
            CheckLayout();
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafeTensorsEntry> Entries { get; }

    /// <summary>The text in <c>__metadata__</c>; empty if there is none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>True if the file contains its own SHA-256, which was compared when the file was opened.</summary>
    public bool HasChecksum { get; }

    /// <summary>Opens a file and checks its checksum and header.</summary>
    /// <exception cref="UniFaceException">
    /// The file does not exist or is not a valid safetensors file; the message names the offset and what was expected.
    /// </exception>
    public static SafeTensorsFile Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new UniFaceException($"{path}: no such file; expected a checkpoint in the safetensors format.");
        }

        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16);
        try
        {
            return new SafeTensorsFile(stream, path);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads one tensor into CPU memory; the caller owns it.</summary>
    /// <exception cref="UniFaceException">The file has no tensor of that name.</exception>
    public Tensor Read(string name)
    {
        SafeTensorsEntry entry = Entries.TryGetValue(name, out SafeTensorsEntry? found)
            ? found
            : throw new UniFaceException($"{Path} has no tensor '{name}'; it was written by another version or for another model.");
        Tensor result = empty([.. entry.Shape], dtype: entry.Type);
        stream.Position = dataStart + entry.Offset;
        TensorMemory.ForEachChunk(result, stream.ReadExactly);
        return result;
    }

    /// <summary>Reads some rows of a tensor into CPU memory.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="first">The first row.</param>
    /// <param name="rows">Receives them, [rows, ...], contiguous and of the tensor's type.</param>
    public void ReadRows(string name, long first, Tensor rows)
    {
        SafeTensorsEntry entry = Entries[name];
        long rowBytes = entry.Bytes / Math.Max(entry.Shape[0], 1);
        if (first < 0 || first + rows.shape[0] > entry.Shape[0] || rows.dtype != entry.Type || !rows.shape.AsSpan(1).SequenceEqual([.. entry.Shape.Skip(1)]))
        {
            throw new UniFaceException(
                $"{Path}: '{name}' is {entry.Type}[{string.Join(", ", entry.Shape)}], which has no rows {first} to {first + rows.shape[0] - 1} of " +
                $"{rows.dtype}[{string.Join(", ", rows.shape)}]; it was written for another model.");
        }

        stream.Position = dataStart + entry.Offset + (first * rowBytes);
        TensorMemory.ForEachChunk(rows, stream.ReadExactly);
    }

    /// <summary>The metadata of a file whose content is not checked.</summary>
    /// <exception cref="UniFaceException">The file does not begin with a header.</exception>
    public static IReadOnlyDictionary<string, string> ReadMetadata(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        using SafeTensorsFile header = new(file, path, headerOnly: true);
        return header.Metadata;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => stream.Dispose();

    private byte[] ReadHeader()
    {
        Span<byte> prefix = stackalloc byte[8];
        if (stream.Length < 8)
        {
            throw Bad(0, $"the file is {stream.Length} bytes long, expected at least 8");
        }

        stream.ReadExactly(prefix);
        long length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length < 2 || length > Math.Min(MaxHeader, stream.Length - 8))
        {
            throw Bad(0, $"header length is {length}, expected 2 to {Math.Min(MaxHeader, stream.Length - 8)}");
        }

        byte[] header = new byte[length];
        stream.ReadExactly(header);
        return header;
    }

    private bool Verify(byte[] header)
    {
        byte[] hashed = [.. header];
        if (!SafeTensorsWriter.ExtractChecksum(hashed, out string checksum))
        {
            return false;
        }

        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] piece = new byte[1 << 20];
        BinaryPrimitives.WriteInt64LittleEndian(piece, header.Length);
        hash.AppendData(piece, 0, 8);
        hash.AppendData(hashed);
        for (int read = stream.Read(piece); read > 0; read = stream.Read(piece))
        {
            hash.AppendData(piece, 0, read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset()) == checksum
            ? true
            : throw new UniFaceException($"{Path} is damaged: its SHA-256 is not the one stored in it.");
    }

    private (Dictionary<string, SafeTensorsEntry> Entries, Dictionary<string, string> Metadata) Parse(byte[] header)
    {
        Dictionary<string, SafeTensorsEntry> entries = [];
        Dictionary<string, string> metadata = [];
        try
        {
            using JsonDocument json = JsonDocument.Parse(header);
            foreach (JsonProperty property in json.RootElement.EnumerateObject())
            {
                if (property.Name == "__metadata__")
                {
                    foreach (JsonProperty text in property.Value.EnumerateObject())
                    {
                        metadata[text.Name] = text.Value.GetString() ?? "";
                    }
                }
                else if (!entries.TryAdd(property.Name, Entry(property.Name, property.Value)))
                {
                    throw Bad(8, $"tensor '{property.Name}' occurs twice in the header");
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or OverflowException)
        {
            throw new UniFaceException(
                $"{Path}: byte 8: the header is not safetensors JSON ({e.Message}); the file is damaged or has another format.", e);
        }

        return (entries, metadata);
    }

    private SafeTensorsEntry Entry(string name, JsonElement json)
    {
        string? typeName = json.GetProperty("dtype").GetString();
        if (!SafeTensorsType.TryParse(typeName, out ScalarType type, out int size))
        {
            throw Bad(8, $"tensor '{name}' has the unknown type '{typeName}'");
        }

        List<long> shape = [];
        long bytes = size;
        long overflow = size; // like bytes, but a dimension of 0 does not hide an overflow of the others
        foreach (JsonElement dimension in json.GetProperty("shape").EnumerateArray())
        {
            long length = dimension.GetInt64();
            if (length < 0)
            {
                throw Bad(8, $"tensor '{name}' has a dimension of {length}");
            }

            shape.Add(length);
            bytes = checked(bytes * length);
            overflow = checked(overflow * Math.Max(length, 1));
        }

        JsonElement offsets = json.GetProperty("data_offsets");
        if (offsets.GetArrayLength() != 2)
        {
            throw Bad(8, $"tensor '{name}' has {offsets.GetArrayLength()} offsets, expected 2");
        }

        long begin = offsets[0].GetInt64();
        long end = offsets[1].GetInt64();
        if (begin < 0 || end < begin || end - begin != bytes)
        {
            throw Bad(8, $"tensor '{name}' has offsets {begin} to {end}, expected {bytes} bytes for {typeName}[{string.Join(", ", shape)}]");
        }

        return new SafeTensorsEntry(name, type, shape, begin, bytes);
    }

    private void CheckLayout()
    {
        long at = 0;
        foreach (SafeTensorsEntry entry in Entries.Values.OrderBy(e => e.Offset).ThenBy(e => e.Bytes))
        {
            if (entry.Offset != at)
            {
                throw Bad(dataStart + at, $"tensor '{entry.Name}' begins at data byte {entry.Offset}, expected {at}: a gap or an overlap");
            }

            at = checked(at + entry.Bytes);
        }

        if (dataStart + at != stream.Length)
        {
            throw Bad(
                Math.Min(dataStart + at, stream.Length),
                $"the file is {stream.Length} bytes long, expected {dataStart + at}: it is truncated or damaged");
        }
    }

    private UniFaceException Bad(long offset, string what) => new($"{Path}: byte {offset}: {what}.");
}
