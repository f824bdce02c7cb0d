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
    private const int MaxHashes = 1 << 26; // 1 GiB

    private static readonly byte[] Magic = [.. "UFHASH"u8, 0, 1];
    private static readonly HashSet<string> GenericWords = new(StringComparer.OrdinalIgnoreCase)
    {
        "anonymous", "celeb", "class", "face", "folder", "human", "id", "identity", "img", "label", "name", "people", "person", "pid", "stranger",
        "subject", "test", "train", "unknown", "user", "val",
    };

    private readonly Lock gate = new();
    private readonly byte[] salt;
    private readonly HashSet<UInt128> images = [];
    private readonly HashSet<UInt128> people = [];

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
            int before = images.Count;
            images.UnionWith(hashes);
            HasNew |= images.Count > before;
            if (!IsGeneric(person))
            {
                HasNew |= people.Add(HashName(person));
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
            return images.Overlaps(hashes);
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

    /// <summary>True if something was added since this was last set to false.</summary>
    internal bool HasNew { get; set; }

    /// <summary>Adds the hashes of a fingerprint with the same salt.</summary>
    internal void UnionWith(TrainingFingerprint other)
    {
        lock (gate)
        {
            int before = images.Count + people.Count;
            images.UnionWith(other.images);
            people.UnionWith(other.people);
            HasNew |= images.Count + people.Count > before;
        }
    }

    /// <summary>Writes the file atomically.</summary>
    public void Save(string path)
    {
        byte[] bytes = ToBytes();
        AtomicFile.Write(path, stream => stream.Write(bytes));
    }

    /// <summary>The content of the file.</summary>
    internal byte[] ToBytes()
    {
        using MemoryStream file = new();
        using BinaryWriter writer = new(file);
        lock (gate)
        {
            writer.Write(Magic);
            writer.Write(Complete ? 1 : 0);
            writer.Write(images.Count);
            writer.Write(people.Count);
            writer.Write(salt);
            Span<byte> hash = stackalloc byte[HashBytes];
            foreach (UInt128 value in images.Order().Concat(people.Order()))
            {
                BinaryPrimitives.WriteUInt128LittleEndian(hash, value);
                writer.Write(hash);
            }
        }

        byte[] body = file.ToArray();
        return [.. body, .. SHA256.HashData(body)];
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

        return Read(File.ReadAllBytes(path), path);
    }

    /// <summary>Reads the content of a file.</summary>
    /// <param name="bytes">The content, of at least the smallest size.</param>
    /// <param name="path">The file, for errors.</param>
    internal static TrainingFingerprint Read(byte[] bytes, string path)
    {
        if (!bytes.AsSpan().StartsWith(Magic))
        {
            throw new UniFaceException($"{path}: offset 0: not the hashes of training images (version 1); it is damaged, or was written by a newer uniface");
        }

        int body = bytes.Length - SHA256.HashSizeInBytes;
        int imageCount = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        int personCount = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(16));
        if (imageCount < 0 || personCount < 0 || HeaderBytes + (HashBytes * ((long)imageCount + personCount)) != body
            || !SHA256.HashData(bytes.AsSpan(0, body)).AsSpan().SequenceEqual(bytes.AsSpan(body)))
        {
            throw new UniFaceException($"{path}: its length or checksum is wrong: the hashes of the training images are damaged; restore the file " +
                "from a copy");
        }

        TrainingFingerprint read = new(BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8)) == 1, bytes[20..HeaderBytes]);
        for (int i = 0, at = HeaderBytes; at < body; i++, at += HashBytes)
        {
            (i < imageCount ? read.images : read.people).Add(BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(at)));
        }

        return read;
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
