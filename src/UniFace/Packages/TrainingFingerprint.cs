using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using UniFace.Data;
using UniFace.IO;

namespace UniFace.Packages;

/// <summary>
/// What a model was trained on, as hashes under a random salt: of each picture's content, of the photo that a crop was made from
/// (<see cref="CropSource"/>), and of the people's names. It tells whether given pictures or people were trained on, and lists neither.
/// Adding and asking are thread-safe.
/// </summary>
/// <remarks>
/// The file, little-endian: "UFHASH" and version 1 (8 bytes), 1 if complete (int32), numbers of picture and name hashes (2 x int32),
/// salt (32 bytes), the hashes (16 bytes each, HMAC-SHA-256 cut, each kind in ascending order), SHA-256 of all that (32 bytes).
/// </remarks>
public sealed class TrainingFingerprint
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
    private readonly HashSet<UInt128> pictures = [];
    private readonly HashSet<UInt128> people = [];

    /// <summary>An empty one with a salt of its own.</summary>
    /// <param name="complete">False if pictures were trained on that it does not hold.</param>
    public TrainingFingerprint(bool complete = true)
        : this(complete, RandomNumberGenerator.GetBytes(SaltBytes))
    {
    }

    private TrainingFingerprint(bool complete, byte[] salt)
    {
        Complete = complete;
        this.salt = salt;
    }

    /// <summary>False if pictures were trained on that it does not hold: no overlap found then proves nothing.</summary>
    public bool Complete { get; }

    /// <summary>Number of hashes; grows with each picture or person that is new.</summary>
    public int Count
    {
        get
        {
            lock (gate)
            {
                return pictures.Count + people.Count;
            }
        }
    }

    /// <summary>True for a name that does not say who it is: digits, a word and a number ("person-0001", "id_12"), "unknown", one letter. Such names
    /// never count.</summary>
    public static bool IsGeneric(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        string[] words = new string([.. name.Select(c => char.IsLetter(c) ? c : ' ')]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (words.Length == 1 && name.Any(char.IsDigit)) || words.All(word => GenericWords.Contains(word) || (word.Length == 1 && char.IsAscii(word[0])));
    }

    /// <summary>Adds a picture and its person.</summary>
    /// <param name="person">The person's name.</param>
    /// <param name="encoded">The picture's bytes as read.</param>
    public void Add(string person, ReadOnlySpan<byte> encoded)
    {
        UInt128 content = OfContent(SHA256.HashData(encoded));
        UInt128? source = SourceOf(encoded);
        lock (gate)
        {
            pictures.Add(content);
            if (source is UInt128 photo)
            {
                pictures.Add(photo);
            }

            if (!IsGeneric(person))
            {
                people.Add(OfName(person));
            }
        }
    }

    /// <summary>True if the picture, the photo it was made from, or a crop of it was trained on.</summary>
    /// <param name="encoded">The picture's bytes.</param>
    public bool HasPicture(ReadOnlySpan<byte> encoded)
    {
        UInt128 content = OfContent(SHA256.HashData(encoded));
        UInt128? source = SourceOf(encoded);
        lock (gate)
        {
            return pictures.Contains(content) || (source is UInt128 photo && pictures.Contains(photo));
        }
    }

    /// <summary>True if somebody of this name was trained on. Upper case, and '_', '-' or '.' for a space make no difference; a generic name is nobody's.</summary>
    public bool HasPerson(string name)
    {
        lock (gate)
        {
            return !IsGeneric(name) && people.Contains(OfName(name));
        }
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    public void Save(string path)
    {
        byte[] bytes;
        lock (gate)
        {
            int count = pictures.Count + people.Count;
            bytes = new byte[HeaderBytes + (HashBytes * (long)count) + SHA256.HashSizeInBytes];
            Magic.CopyTo(bytes, 0);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8), Complete ? 1 : 0);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), pictures.Count);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(16), people.Count);
            salt.CopyTo(bytes, 20);
            int at = HeaderBytes;
            foreach (UInt128 hash in pictures.Order().Concat(people.Order()))
            {
                BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(at), hash);
                at += HashBytes;
            }

            SHA256.HashData(bytes.AsSpan(0, at), bytes.AsSpan(at));
        }

        AtomicFile.Write(path, stream => stream.Write(bytes));
    }

    /// <summary>Reads the file.</summary>
    /// <exception cref="UniFaceException">It is missing, damaged, or of a newer version.</exception>
    public static TrainingFingerprint Load(string path)
    {
        FileInfo file = new(path);
        if (!file.Exists || file.Length < HeaderBytes + SHA256.HashSizeInBytes || file.Length > HeaderBytes + ((long)HashBytes * MaxHashes)
            + SHA256.HashSizeInBytes)
        {
            throw new UniFaceException($"{path}: {(file.Exists ? $"{file.Length} bytes" : "missing")}; expected the hashes of the training pictures " +
                "that 'uniface train' wrote.");
        }

        byte[] bytes = File.ReadAllBytes(path);
        if (!bytes.AsSpan().StartsWith(Magic))
        {
            throw new UniFaceException($"{path}: offset 0: not the hashes of training pictures (version 1); it is damaged, or a newer uniface wrote it.");
        }

        int body = bytes.Length - SHA256.HashSizeInBytes;
        int pictureCount = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12)), personCount = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(16));
        if (pictureCount < 0 || personCount < 0 || HeaderBytes + (HashBytes * ((long)pictureCount + personCount)) != body
            || !SHA256.HashData(bytes.AsSpan(0, body)).AsSpan().SequenceEqual(bytes.AsSpan(body)))
        {
            throw new UniFaceException($"{path}: its length or checksum is wrong: the hashes of the training pictures are damaged; restore the file " +
                "from a copy.");
        }

        TrainingFingerprint read = new(BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8)) == 1, bytes[20..HeaderBytes]);
        for (int i = 0, at = HeaderBytes; at < body; i++, at += HashBytes)
        {
            (i < pictureCount ? read.pictures : read.people).Add(BinaryPrimitives.ReadUInt128LittleEndian(bytes.AsSpan(at)));
        }

        return read;
    }

    private UInt128? SourceOf(ReadOnlySpan<byte> encoded) => CropSource.Read(encoded) is string source ? OfContent(Convert.FromHexString(source)) : null;

    private UInt128 OfContent(ReadOnlySpan<byte> sha256) => BinaryPrimitives.ReadUInt128LittleEndian(HMACSHA256.HashData(salt, sha256));

    private UInt128 OfName(string name) => OfContent(Encoding.UTF8.GetBytes("name " + string.Join(' ', name.ToUpperInvariant()
        .Split([' ', '_', '-', '.'], StringSplitOptions.RemoveEmptyEntries))));
}
