using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace UniFace.Gallery.Sqlite;

/// <summary>
/// How records lie in the database: as they are, or under AES-256-GCM as nonce (12 bytes), tag (16), ciphertext, with the gallery, the kind of
/// record, its id and its person's id as associated data, so that a record moved elsewhere is not read. Names are then found by an
/// HMAC-SHA256. Both keys come from the user's by HKDF-SHA256, salted with the gallery's id.
/// </summary>
internal sealed class RecordCipher : IDisposable
{
    private const int NonceSize = 12, TagSize = 16;

    private readonly string gallery;
    // An AesGcm is for one thread at a time.
    private readonly ThreadLocal<AesGcm>? ciphers;
    private readonly byte[] nameKey = [];
    private readonly byte[] recordKey = [];

    /// <summary>A cipher, or, without a key, none.</summary>
    public RecordCipher(string gallery, GalleryKey? key)
    {
        this.gallery = gallery;
        if (key is not null)
        {
            byte[] salt = Encoding.UTF8.GetBytes(gallery);
            byte[] records = HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Bytes, 32, salt, "uniface gallery records"u8.ToArray());
            nameKey = HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Bytes, 32, salt, "uniface gallery names"u8.ToArray());
            ciphers = new ThreadLocal<AesGcm>(() => new AesGcm(records, TagSize), trackAllValues: true);
            recordKey = records;
        }
    }

    /// <summary>True where records are encrypted.</summary>
    public bool Encrypts => ciphers is not null;

    /// <summary>What a person is found by in the database.</summary>
    public byte[] NameKey(string name) => ciphers is null ? Encoding.UTF8.GetBytes(name) : HMACSHA256.HashData(nameKey, Encoding.UTF8.GetBytes(name));

    /// <summary>A record as it is stored.</summary>
    public byte[] Seal(string kind, long id, long person, ReadOnlySpan<byte> record)
    {
        if (ciphers is null)
        {
            return record.ToArray();
        }

        byte[] sealedRecord = new byte[NonceSize + TagSize + record.Length];
        Span<byte> nonce = sealedRecord.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        ciphers.Value!.Encrypt(nonce, record, sealedRecord.AsSpan(NonceSize + TagSize), sealedRecord.AsSpan(NonceSize, TagSize), Context(kind, id, person));
        return sealedRecord;
    }

    /// <summary>A stored record as it was.</summary>
    /// <exception cref="CryptographicException">Another key, another record, or damaged.</exception>
    public byte[] Open(string kind, long id, long person, byte[] stored)
    {
        if (ciphers is null)
        {
            return stored;
        }

        if (stored.Length < NonceSize + TagSize)
        {
            throw new CryptographicException($"a record of {stored.Length} bytes is too short.");
        }

        byte[] record = new byte[stored.Length - NonceSize - TagSize];
        ciphers.Value!.Decrypt(stored.AsSpan(0, NonceSize), stored.AsSpan(NonceSize + TagSize), stored.AsSpan(NonceSize, TagSize), record, Context(kind, id, person));
        return record;
    }

    /// <summary>Forgets the keys.</summary>
    public void Dispose()
    {
        foreach (AesGcm cipher in ciphers?.Values ?? [])
        {
            cipher.Dispose();
        }

        ciphers?.Dispose();
        CryptographicOperations.ZeroMemory(recordKey);
        CryptographicOperations.ZeroMemory(nameKey);
    }

    private byte[] Context(string kind, long id, long person)
    {
        byte[] text = Encoding.UTF8.GetBytes($"{gallery}|{kind}|");
        byte[] context = new byte[text.Length + 16];
        text.CopyTo(context, 0);
        BinaryPrimitives.WriteInt64LittleEndian(context.AsSpan(text.Length), id);
        BinaryPrimitives.WriteInt64LittleEndian(context.AsSpan(text.Length + 8), person);
        return context;
    }
}
