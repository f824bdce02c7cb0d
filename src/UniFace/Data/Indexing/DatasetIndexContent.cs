namespace UniFace.Data.Indexing;

/// <summary>What a <see cref="DatasetIndex"/> is written from, sample by sample.</summary>
internal sealed record DatasetIndexContent
{
    /// <summary>Number of samples.</summary>
    public required int Samples { get; init; }

    /// <summary>Label of a sample.</summary>
    public required Func<int, int> LabelOf { get; init; }

    /// <summary>Size of a sample in bytes.</summary>
    public required Func<int, long> SizeOf { get; init; }

    /// <summary>Name of a sample; not used for records.</summary>
    public required Func<int, string> NameOf { get; init; }

    /// <summary>Where the samples are.</summary>
    public required SampleLayout Layout { get; init; }

    /// <summary>Names of the people.</summary>
    public required IReadOnlyList<string> People { get; init; }

    /// <summary>Which folder of a path is the person, or null.</summary>
    public int? PersonLevel { get; init; }

    /// <summary>The digest over people, names, labels and sizes, 32 bytes.</summary>
    public required byte[] Digest { get; init; }

    /// <summary>Writes the index atomically, one column after the other.</summary>
    /// <param name="path">The index; the files' names are written relative to its folder.</param>
    /// <exception cref="UniFaceException">A file has changed or a value does not fit.</exception>
    public void Write(string path)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string[] files = [.. Layout.Files.Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))];
        (long Length, byte[] Edges)[] checks = [.. Layout.Files.Select(Examine)];
        if (files.Length > DatasetIndex.MaxFiles)
        {
            throw new UniFaceException($"{path}: {files.Length} files are more than the {DatasetIndex.MaxFiles} that an index holds; use larger shards");
        }

        long nameBytes = -1;
        if (Layout.KeyOf is null)
        {
            nameBytes = 0;
            for (int i = 0; i < Samples; i++)
            {
                nameBytes += Encoding.UTF8.GetByteCount(NameOf(i));
            }
        }

        AtomicFile.Write(path, stream =>
        {
            using ColumnWriter writer = new(stream);
            writer.Write(DatasetIndex.Magic);
            foreach (long count in (ReadOnlySpan<long>)[Samples, nameBytes, People.Count, Bytes(People), files.Length, Bytes(files), PersonLevel ?? 0])
            {
                writer.Write(count);
            }

            writer.Column(Samples, i => writer.Write(LabelOf(i)));
            writer.Column(Samples, i => writer.Write(checked((int)SizeOf(i))));
            writer.Column(Samples, i => writer.Write(Position(i)));
            if (Layout.KeyOf is Func<int, long> keyOf)
            {
                writer.Column(Samples, i => writer.Write(keyOf(i)));
            }
            else
            {
                writer.Texts(Samples, NameOf);
            }

            writer.Texts(People.Count, i => People[i]);
            writer.Column(files.Length, i => writer.Write(checks[i].Length));
            writer.Column(files.Length, i => writer.Write(checks[i].Edges));
            writer.Texts(files.Length, i => files[i]);
            writer.Write(Digest);
            writer.Complete();
        });
    }

    private static long Bytes(IReadOnlyList<string> texts) => texts.Sum(text => (long)Encoding.UTF8.GetByteCount(text));

    private static (long Length, byte[] Edges) Examine(string file)
    {
        using FileSegment segment = FileSegment.Open(file);
        return (segment.Length, DatasetIndex.HashEdges(segment));
    }

    private long Position(int sample)
    {
        (int file, long offset) = Layout.PositionOf(sample);
        return offset >> DatasetIndex.OffsetBits == 0
            ? (long)(((ulong)file << DatasetIndex.OffsetBits) | (ulong)offset)
            : throw new UniFaceException($"{Layout.Files[file]}: offset {offset} is beyond what an index holds");
    }

    /// <summary>Writes padded columns and, last, the checksum of all.</summary>
    private sealed class ColumnWriter(Stream stream) : IDisposable
    {
        private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        private readonly byte[] buffer = new byte[1 << 16];
        private long written;
        private int used;

        public void Column(int count, Action<int> write)
        {
            for (int i = 0; i < count; i++)
            {
                write(i);
            }

            while (((written + used) & 7) != 0)
            {
                Write([0]);
            }
        }

        /// <summary>The ends of the texts, then the texts.</summary>
        public void Texts(int count, Func<int, string> text)
        {
            long end = 0;
            Column(count, i => Write(end += Encoding.UTF8.GetByteCount(text(i))));
            Column(count, i => Write(Encoding.UTF8.GetBytes(text(i))));
        }

        public void Write(int value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
            Write(bytes);
        }

        public void Write(long value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
            Write(bytes);
        }

        public void Write(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                int count = Math.Min(bytes.Length, buffer.Length - used);
                bytes[..count].CopyTo(buffer.AsSpan(used));
                used += count;
                bytes = bytes[count..];
                if (used == buffer.Length)
                {
                    Flush();
                }
            }
        }

        public void Complete()
        {
            Flush();
            stream.Write(hash.GetHashAndReset());
        }

        public void Dispose() => hash.Dispose();

        private void Flush()
        {
            hash.AppendData(buffer, 0, used);
            stream.Write(buffer, 0, used);
            written += used;
            used = 0;
        }
    }
}
