namespace UniFace.Data.Identity;

/// <summary>
/// The SHA-256 of every sample's contents in a file of a run, filled in as training reads the samples; a sample that is read again must be the same.
/// When all are known, they give the set's hash (<see cref="DatasetHash"/>). Thread-safe.
/// </summary>
/// <remarks>
/// The file, little-endian: "UFDHASH" and version 1, number of samples N (int64), fingerprint of the set (32 bytes), 16 bytes 0, N hashes (32 bytes each),
/// and a bit per sample, set when its hash is on the disk. A kill at any moment leaves a valid file: bits are written after the hashes that they announce.
/// </remarks>
internal sealed class ContentHashes : IDisposable
{
    /// <summary>Name of the file in a run.</summary>
    public const string FileName = "data.hashes";

    private const int HeaderBytes = 64;
    private const int HashBytes = SHA256.HashSizeInBytes;
    private const int AddedBytes = 4 + HashBytes;
    private static readonly byte[] Magic = [.. "UFDHASH"u8, 1];

    private readonly Lock gate = new();
    private readonly string path;
    private readonly FaceDataset data;
    private readonly SafeFileHandle? handle; // null if another process keeps the file
    private readonly List<byte> added = []; // without a file: index (int32) and hash of each sample that was not taken yet
    private readonly byte[] known; // a bit per sample
    private int count;
    private int committed;

    private ContentHashes(string path, FaceDataset data, SafeFileHandle? handle, byte[] known)
    {
        (this.path, this.data, this.handle, this.known) = (path, data, handle, known);
        foreach (byte bits in known)
        {
            count += System.Numerics.BitOperations.PopCount(bits);
        }

        committed = count;
    }

    /// <summary>Number of samples whose hash is known.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return count;
            }
        }
    }

    /// <summary>Whether the hashes of all samples are known.</summary>
    public bool IsComplete => Count == data.Samples.Count;

    private long BitsOffset => HeaderBytes + ((long)HashBytes * data.Samples.Count);

    /// <summary>Continues the file of a run, or begins it if it is missing, damaged or of another set.</summary>
    /// <param name="path">The file.</param>
    /// <param name="data">The whole set, not disposed.</param>
    /// <param name="fingerprint">Its fingerprint (<see cref="DatasetFingerprint"/>), hexadecimal.</param>
    /// <exception cref="UniFaceException">The file cannot be written.</exception>
    public static ContentHashes Open(string path, FaceDataset data, string fingerprint)
    {
        byte[] header = new byte[HeaderBytes];
        Magic.CopyTo(header, 0);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(8), data.Samples.Count);
        Convert.FromHexString(fingerprint).CopyTo(header, 16);
        byte[] known = new byte[(data.Samples.Count + 7L) / 8];
        long length = HeaderBytes + ((long)HashBytes * data.Samples.Count) + known.Length;
        SafeFileHandle? handle = null;
        try
        {
            handle = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, FileOptions.RandomAccess);
            byte[] found = new byte[HeaderBytes];
            int last = data.Samples.Count % 8;
            if (RandomAccess.GetLength(handle) != length || RandomAccess.Read(handle, found, 0) != HeaderBytes || !found.AsSpan().SequenceEqual(header)
                || !TryReadBits(handle, known, length - known.Length) || (last > 0 && known[^1] >> last != 0))
            {
                RandomAccess.SetLength(handle, 0);
                RandomAccess.SetLength(handle, length);
                RandomAccess.Write(handle, header, 0);
                Array.Clear(known);
            }

            return new ContentHashes(path, data, handle, known);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException || AtomicFile.IsTooLarge(e))
        {
            handle?.Dispose();
            throw CannotWrite(path, e);
        }
    }

    /// <summary>
    /// The hashes of a process that trains with others, of which one keeps the file: what is added here is taken by <see cref="TakeAdded"/>, sent, and added
    /// there by <see cref="AddTaken"/>.
    /// </summary>
    /// <param name="data">The whole set, not disposed.</param>
    public static ContentHashes WithoutFile(FaceDataset data) => new("", data, null, new byte[(data.Samples.Count + 7L) / 8]);

    /// <summary>What was added since the last call, for <see cref="AddTaken"/>.</summary>
    public byte[] TakeAdded()
    {
        lock (gate)
        {
            byte[] taken = [.. added];
            added.Clear();
            return taken;
        }
    }

    /// <summary>Adds what another process has read.</summary>
    /// <param name="taken">What <see cref="TakeAdded"/> returned there.</param>
    /// <exception cref="UniFaceException">A sample has changed, or the file cannot be written.</exception>
    public void AddTaken(ReadOnlySpan<byte> taken)
    {
        for (; taken.Length >= AddedBytes; taken = taken[AddedBytes..])
        {
            Add(BinaryPrimitives.ReadInt32LittleEndian(taken), taken[4..AddedBytes]);
        }
    }

    /// <summary>Adds what was read of a sample, or compares it with what was read before.</summary>
    /// <param name="index">Index of the sample in the whole set.</param>
    /// <param name="sha256">SHA-256 of its contents.</param>
    /// <exception cref="UniFaceException">The sample has changed, or the file cannot be written.</exception>
    public void Add(int index, ReadOnlySpan<byte> sha256)
    {
        if (handle is null)
        {
            lock (gate)
            {
                if (!Mark(index))
                {
                    return;
                }

                Span<byte> number = stackalloc byte[4];
                BinaryPrimitives.WriteInt32LittleEndian(number, index);
                added.AddRange(number);
                added.AddRange(sha256);
            }

            return;
        }

        try
        {
            if (IsKnown(index))
            {
                Span<byte> before = stackalloc byte[HashBytes];
                if (RandomAccess.Read(handle, before, OffsetOf(index)) != HashBytes || !before.SequenceEqual(sha256))
                {
                    throw new UniFaceException(
                        $"{data.Source}: {data.Samples[index].Name} has changed since the run first read it; restore it, or start a new run");
                }

                return;
            }

            RandomAccess.Write(handle, sha256, OffsetOf(index));
        }
        catch (Exception e) when (e is IOException || AtomicFile.IsTooLarge(e))
        {
            throw CannotWrite(path, e);
        }

        lock (gate)
        {
            Mark(index);
        }
    }

    /// <summary>Makes what was added durable; before a checkpoint, so that it covers every image that the checkpoint has seen.</summary>
    /// <exception cref="UniFaceException">The file cannot be written.</exception>
    public void Commit()
    {
        byte[] bits;
        int added;
        lock (gate)
        {
            if (handle is null || count == committed)
            {
                return;
            }

            (bits, added) = ([.. known], count);
        }

        try
        {
            RandomAccess.FlushToDisk(handle);
            RandomAccess.Write(handle, bits, BitsOffset);
            RandomAccess.FlushToDisk(handle);
            committed = added;
        }
        catch (Exception e) when (e is IOException || AtomicFile.IsTooLarge(e))
        {
            throw CannotWrite(path, e);
        }
    }

    /// <summary>Reads the samples that are not known yet, such as people held out.</summary>
    /// <param name="done">Called with the number of samples read, from several threads.</param>
    /// <param name="cancellationToken">Stops the reading; what was read is kept.</param>
    public void ReadMissing(Action<int>? done = null, CancellationToken cancellationToken = default) => ParallelLoop.Run(
        data.Samples.Count,
        i =>
        {
            if (!IsKnown(i))
            {
                Add(i, SHA256.HashData(data.Read(i)));
                done?.Invoke(1);
            }
        },
        cancellationToken: cancellationToken);

    /// <summary>The set's hash (<see cref="DatasetHash"/>), when all samples are known.</summary>
    /// <exception cref="InvalidOperationException">Some are not.</exception>
    public string Combine()
    {
        if (handle is null || !IsComplete)
        {
            throw new InvalidOperationException($"{data.Samples.Count - Count} samples were not read yet.");
        }

        byte[] block = new byte[HashBytes << 12];
        return DatasetHash.Combine(data, i =>
        {
            int at = i & ((1 << 12) - 1);
            if (at == 0)
            {
                int bytes = (int)Math.Min(block.Length, BitsOffset - OffsetOf(i));
                for (int read = 0; read < bytes;)
                {
                    int more = RandomAccess.Read(handle, block.AsSpan(read, bytes - read), OffsetOf(i) + read);
                    read += more > 0 ? more : throw new UniFaceException($"{path} became shorter while it was open");
                }
            }

            return block.AsMemory(at * HashBytes, HashBytes);
        });
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => handle?.Dispose();

    private static bool TryReadBits(SafeFileHandle handle, byte[] bits, long offset)
    {
        for (int read = 0; read < bits.Length;)
        {
            int more = RandomAccess.Read(handle, bits.AsSpan(read), offset + read);
            if (more == 0)
            {
                return false;
            }

            read += more;
        }

        return true;
    }

    private static UniFaceException CannotWrite(string path, Exception e) =>
        new($"{path} cannot be written: {(e is IOException or UnauthorizedAccessException ? e.Message : AtomicFile.TooLarge)}", e);

    private static long OffsetOf(int index) => HeaderBytes + ((long)HashBytes * index);

    /// <summary>Marks a sample as known; false if it was.</summary>
    private bool Mark(int index)
    {
        byte bit = (byte)(1 << (index & 7));
        bool isNew = (known[index >> 3] & bit) == 0;
        known[index >> 3] |= bit;
        count += isNew ? 1 : 0;
        return isNew;
    }

    private bool IsKnown(int index)
    {
        lock (gate)
        {
            return (known[index >> 3] & (1 << (index & 7))) != 0;
        }
    }
}
