namespace UniFace.Packages;

/// <summary>
/// What a model was trained on, as salted hashes: of each image's content, of the photo that a crop was made from
/// (<see cref="CropSource"/>), and of the people's names. It tells whether a given image or person was trained on, but cannot list them.
/// Thread-safe.
/// </summary>
/// <remarks>
/// The file, little-endian: "UFHASH" and version 1 (8 bytes), 1 if complete (int32), numbers of image and name hashes (2 x int32),
/// salt (32 bytes), the hashes (16 bytes each, HMAC-SHA-256 cut, each kind in ascending order), SHA-256 of all that (32 bytes).
/// </remarks>
internal sealed class TrainingFingerprint
{
    /// <summary>Name of the file in a run and in a package.</summary>
    public const string FileName = "training.hashes";

    private const int SaltBytes = 32;
    private const int HashBytes = 16;
    private const int HeaderBytes = 20 + SaltBytes;
    private const int MaxHashes = 1 << 27; // 2 GiB
    private const int BlockBytes = 1 << 16;

    private static readonly byte[] Magic = [.. "UFHASH"u8, 0, 1];
    private static readonly HashSet<string> GenericWords = new(StringComparer.OrdinalIgnoreCase)
    {
        "anonymous", "celeb", "class", "face", "folder", "human", "id", "identity", "img", "label", "name", "people", "person", "pid", "stranger",
        "subject", "test", "train", "unknown", "user", "val",
    };

    private readonly Lock gate = new();
    private readonly byte[] salt;
    private readonly HashTable128 images = new();
    private readonly HashTable128 people = new();

    /// <summary>Creates an empty fingerprint with a new salt.</summary>
    /// <param name="complete">False if it lacks images that were trained on.</param>
    public TrainingFingerprint(bool complete = true)
        : this(complete, RandomNumberGenerator.GetBytes(SaltBytes))
    {
    }

    private TrainingFingerprint(bool complete, byte[] salt)
    {
        Complete = complete;
        this.salt = salt;
    }

    /// <summary>False if it lacks images that were trained on; then finding no overlap proves nothing.</summary>
    public bool Complete { get; }

    /// <summary>Number of hashes; grows with each new image or person.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return images.Count + people.Count;
            }
        }
    }

    /// <summary>
    /// Whether a name does not identify a person: digits, a word and a number ("person-0001", "id_12"), "unknown", one letter. Such names are
    /// ignored.
    /// </summary>
    public static bool IsGeneric(string name)
    {
        string[] words = new string([.. name.Select(c => char.IsLetter(c) ? c : ' ')]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 1 && name.Any(char.IsDigit)
            || words.All(word => GenericWords.Contains(word) || word.Length == 1 && char.IsAscii(word[0]));
    }

    /// <summary>Adds an image and its person.</summary>
    /// <param name="person">The person's name.</param>
    /// <param name="encoded">The image's bytes.</param>
    public void Add(string person, ReadOnlySpan<byte> encoded) => Add(person, encoded, SHA256.HashData(encoded));

    /// <summary>Adds an image and its person.</summary>
    /// <param name="person">The person's name.</param>
    /// <param name="encoded">The image's bytes.</param>
    /// <param name="sha256">SHA-256 of the image's bytes.</param>
    internal void Add(string person, ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> sha256)
    {
        UInt128[] hashes = HashImage(encoded, sha256);
        lock (gate)
        {
            Array.ForEach(hashes, hash => images.Add(hash));
            if (!IsGeneric(person))
            {
                people.Add(HashName(person));
            }
        }
    }

    /// <summary>Whether the image, the photo it was made from, or a crop of it was trained on.</summary>
    /// <param name="encoded">The image's bytes.</param>
    public bool HasImage(ReadOnlySpan<byte> encoded)
    {
        UInt128[] hashes = HashImage(encoded, SHA256.HashData(encoded));
        lock (gate)
        {
            return hashes.Any(images.Contains);
        }
    }

    /// <summary>Whether a person of this name was trained on. Case, and '_', '-' or '.' for a space are ignored; false for a generic name.</summary>
    public bool HasPerson(string name)
    {
        lock (gate)
        {
            return !IsGeneric(name) && people.Contains(HashName(name));
        }
    }

    /// <summary>Adds the hashes of a fingerprint with the same salt.</summary>
    internal void UnionWith(TrainingFingerprint other)
    {
        lock (gate)
        {
            other.images.ForEachBlock(block => AddAll(images, block));
            other.people.ForEachBlock(block => AddAll(people, block));
        }
    }

    /// <summary>An empty fingerprint with the same salt, whose hashes <see cref="UnionWith"/> can add to this one.</summary>
    internal TrainingFingerprint CreateEmpty() => new(Complete, salt);

    /// <summary>The content of a file with the hashes; they are removed.</summary>
    internal byte[] Take()
    {
        lock (gate)
        {
            byte[] taken = ToBytes();
            images.Clear();
            people.Clear();
            return taken;
        }
    }

    /// <summary>Writes the file atomically.</summary>
    public void Save(string path) => AtomicFile.Write(path, Write);

    /// <summary>The content of the file.</summary>
    internal byte[] ToBytes()
    {
        lock (gate)
        {
            byte[] bytes = new byte[HeaderBytes + (HashBytes * ((long)images.Count + people.Count)) + SHA256.HashSizeInBytes];
            using MemoryStream file = new(bytes);
            Write(file);
            return bytes;
        }
    }

    private void Write(Stream file)
    {
        using IncrementalHash checksum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Put(ReadOnlySpan<byte> bytes)
        {
            checksum.AppendData(bytes);
            file.Write(bytes);
        }

        byte[] block = new byte[BlockBytes];
        void PutHashes(ReadOnlySpan<UInt128> hashes)
        {
            for (; hashes.Length > 0; hashes = hashes[Math.Min(hashes.Length, BlockBytes / HashBytes)..])
            {
                ReadOnlySpan<UInt128> part = hashes[..Math.Min(hashes.Length, BlockBytes / HashBytes)];
                for (int i = 0; i < part.Length; i++)
                {
                    BinaryPrimitives.WriteUInt128LittleEndian(block.AsSpan(i * HashBytes), part[i]);
                }

                Put(block.AsSpan(0, part.Length * HashBytes));
            }
        }

        lock (gate)
        {
            byte[] header = new byte[HeaderBytes];
            Magic.CopyTo(header, 0);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(8), Complete ? 1 : 0);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(12), images.Count);
            BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(16), people.Count);
            salt.CopyTo(header, 20);
            Put(header);
            images.ForEachBlock(PutHashes);
            people.ForEachBlock(PutHashes);
        }

        file.Write(checksum.GetHashAndReset());
    }

    private static void AddAll(HashTable128 hashes, ReadOnlySpan<UInt128> added)
    {
        foreach (UInt128 hash in added)
        {
            hashes.Add(hash);
        }
    }

    /// <summary>Reads the file.</summary>
    /// <exception cref="UniFaceException">It is missing, damaged, or of a newer version.</exception>
    public static TrainingFingerprint Load(string path)
    {
        FileInfo file = new(path);
        const int Smallest = HeaderBytes + SHA256.HashSizeInBytes;
        if (!file.Exists || file.Length < Smallest || file.Length > Smallest + (long)HashBytes * MaxHashes)
        {
            throw new UniFaceException($"{path}: {(file.Exists ? $"{file.Length} bytes" : "missing")}; expected the hashes of the training images " +
                "that 'uniface train' wrote");
        }

        using FileStream stream = file.OpenRead();
        return Read(stream, stream.Length, path);
    }

    /// <summary>Reads the content of a file.</summary>
    /// <param name="bytes">The content, of at least the smallest size.</param>
    /// <param name="path">The file, for errors.</param>
    internal static TrainingFingerprint Read(byte[] bytes, string path)
    {
        using MemoryStream stream = new(bytes);
        return Read(stream, bytes.Length, path);
    }

    private static TrainingFingerprint Read(Stream stream, long length, string path)
    {
        byte[] header = new byte[HeaderBytes];
        stream.ReadExactly(header);
        if (!header.AsSpan().StartsWith(Magic))
        {
            throw new UniFaceException($"{path}: offset 0: not the hashes of training images (version 1); it is damaged, or was written by a newer uniface");
        }

        using IncrementalHash checksum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        checksum.AppendData(header);
        int imageCount = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(12));
        int personCount = BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(16));
        TrainingFingerprint read = new(BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(8)) == 1, header[20..]);
        long hashes = (long)imageCount + personCount;
        bool good = imageCount >= 0 && personCount >= 0 && HeaderBytes + (HashBytes * hashes) + SHA256.HashSizeInBytes == length;
        byte[] block = new byte[BlockBytes];
        UInt128 previous = 0;
        for (long i = 0; good && i < hashes; i += BlockBytes / HashBytes)
        {
            Span<byte> bytes = block.AsSpan(0, (int)Math.Min(BlockBytes, (hashes - i) * HashBytes));
            good = stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length;
            checksum.AppendData(bytes);
            for (int at = 0; at < bytes.Length; at += HashBytes)
            {
                // In ascending order, in which adding them takes the least time.
                long index = i + (at / HashBytes);
                UInt128 hash = BinaryPrimitives.ReadUInt128LittleEndian(bytes[at..]);
                good = good && (index == 0 || index == imageCount || hash > previous) && (index < imageCount ? read.images : read.people).Add(hash);
                previous = hash;
            }
        }

        Span<byte> expected = stackalloc byte[SHA256.HashSizeInBytes];
        good = good && stream.ReadAtLeast(expected, expected.Length, throwOnEndOfStream: false) == expected.Length;
        return good && checksum.GetHashAndReset().AsSpan().SequenceEqual(expected) ? read : throw new UniFaceException(
            $"{path}: its length, order or checksum is wrong: the hashes of the training images are damaged; restore the file from a copy");
    }

    private UInt128[] HashImage(ReadOnlySpan<byte> encoded, ReadOnlySpan<byte> sha256)
    {
        UInt128 content = Hash(sha256);
        return CropSource.Read(encoded) is string source ? [content, Hash(Convert.FromHexString(source))] : [content];
    }

    private UInt128 HashName(string name) => Hash(Encoding.UTF8.GetBytes("name " + string.Join(' ', name.ToUpperInvariant()
        .Split([' ', '_', '-', '.'], StringSplitOptions.RemoveEmptyEntries))));

    private UInt128 Hash(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt128LittleEndian(HMACSHA256.HashData(salt, data));
}
