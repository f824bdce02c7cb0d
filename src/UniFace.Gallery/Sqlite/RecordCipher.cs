namespace UniFace.Gallery.Sqlite;

/// <summary>
/// Encrypts the records of a gallery with AES-256-GCM as nonce (12 bytes), tag (16), ciphertext; without a key they stay as they are. The
/// gallery, the kind of record, its id and its person's id are associated data, so that a record that was moved elsewhere is not read. Names
/// are looked up by an HMAC-SHA256. Both keys are derived from the user's by HKDF-SHA256, salted with the gallery's id.
/// </summary>
internal sealed class RecordCipher : IDisposable
{
    private const int NonceSize = 12, TagSize = 16;

    private readonly string path;
    private readonly string gallery;
    private readonly ThreadLocal<AesGcm>? ciphers; // An AesGcm is not thread-safe.
    private readonly byte[] nameKey = [];
    private readonly byte[] recordKey = [];

    /// <summary>A cipher.</summary>
    /// <param name="path">The gallery's file, for errors.</param>
    /// <param name="gallery">Id of the gallery.</param>
    /// <param name="key">The key; null for records in the clear.</param>
    public RecordCipher(string path, string gallery, GalleryKey? key)
    {
        (this.path, this.gallery) = (path, gallery);
        if (key is not null)
        {
            byte[] salt = Encoding.UTF8.GetBytes(gallery);
            recordKey = HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Bytes, 32, salt, "uniface gallery records"u8.ToArray());
            nameKey = HKDF.DeriveKey(HashAlgorithmName.SHA256, key.Bytes, 32, salt, "uniface gallery names"u8.ToArray());
            ciphers = new ThreadLocal<AesGcm>(() => new AesGcm(recordKey, TagSize), trackAllValues: true);
        }
    }

    /// <summary>True if records are encrypted.</summary>
    public bool Encrypts => ciphers is not null;

    /// <summary>The bytes by which a person is looked up.</summary>
    public byte[] NameKey(string name) => ciphers is null ? Encoding.UTF8.GetBytes(name) : HMACSHA256.HashData(nameKey, Encoding.UTF8.GetBytes(name));

    /// <summary>A record as it is stored.</summary>
    public byte[] Seal(string kind, long id, long person, ReadOnlySpan<byte> record)
    {
        if (ciphers is null)
        {
            return record.ToArray();
        }

        byte[] stored = new byte[NonceSize + TagSize + record.Length];
        Span<byte> nonce = stored.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        ciphers.Value!.Encrypt(nonce, record, stored.AsSpan(NonceSize + TagSize), stored.AsSpan(NonceSize, TagSize), Context(kind, id, person));
        return stored;
    }

    /// <summary>The record that <see cref="Seal"/> stored.</summary>
    /// <exception cref="UniFaceException">Another key, another record, or damaged.</exception>
    public byte[] Open(string kind, long id, long person, byte[] stored)
    {
        if (ciphers is null)
        {
            return stored;
        }

        try
        {
            ReadOnlySpan<byte> bytes = stored.Length >= NonceSize + TagSize ? stored : throw new CryptographicException("The record is too short.");
            byte[] record = new byte[bytes.Length - NonceSize - TagSize];
            ciphers.Value!.Decrypt(bytes[..NonceSize], bytes[(NonceSize + TagSize)..], bytes.Slice(NonceSize, TagSize), record, Context(kind, id, person));
            return record;
        }
        catch (CryptographicException e)
        {
            throw new UniFaceException(
                $"{path}: the {kind} of {id} cannot be decrypted: it is damaged, or belongs to another record; restore the gallery from a copy.", e);
        }
    }

    /// <summary>Erases the keys.</summary>
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
        byte[] text = Encoding.UTF8.GetBytes($"{gallery}|{kind}|"), context = new byte[text.Length + 16];
        text.CopyTo(context, 0);
        BinaryPrimitives.WriteInt64LittleEndian(context.AsSpan(text.Length), id);
        BinaryPrimitives.WriteInt64LittleEndian(context.AsSpan(text.Length + 8), person);
        return context;
    }
}
