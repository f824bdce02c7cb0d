using System.Numerics;
namespace UniFace.Gallery.Sqlite;

/// <summary>People, templates and crops as records of the database: encrypted, checked, and named in errors.</summary>
internal sealed class GalleryRecords(string path, RecordCipher cipher)
{
    private const string Name = "name", Template = "template", Crop = "crop", Source = "source", Photo = "photo";

    /// <summary>Id of a person; null if the person is not enrolled.</summary>
    public long? FindPerson(SqliteConnection connection, string person) =>
        (long?)connection.Scalar("SELECT id FROM person WHERE name_key = $key", ("$key", cipher.NameKey(person)));

    /// <summary>Enrolls a person without templates.</summary>
    public long AddPerson(SqliteConnection connection, string person)
    {
        long id = (long)connection.Scalar("INSERT INTO person(name_key) VALUES($key) RETURNING id", ("$key", cipher.NameKey(person)))!;
        if (cipher.Encrypts)
        {
            PutName(connection, id, person);
        }

        return id;
    }

    /// <summary>Stores a person's name.</summary>
    public void PutName(SqliteConnection connection, long id, string person) => connection.Run(
        "UPDATE person SET name_key = $key, name = $name WHERE id = $id",
        ("$id", id),
        ("$key", cipher.NameKey(person)),
        ("$name", cipher.Encrypts ? cipher.Seal(Name, id, id, Encoding.UTF8.GetBytes(person)) : null));

    /// <summary>Names of people by id; people who are no longer enrolled are missing.</summary>
    public Dictionary<long, string> PersonNames(SqliteConnection connection, IEnumerable<long> ids)
    {
        Dictionary<long, string> names = [];
        using SqliteCommand command = connection.Prepare("SELECT id, name_key, name FROM person WHERE id = $id", ("$id", 0L));
        foreach (long id in ids.Distinct())
        {
            command.Parameters[0].Value = id;
            using SqliteDataReader reader = command.ExecuteReader();
            if (reader.Read())
            {
                names.Add(id, PersonName(reader));
            }
        }

        return names;
    }

    /// <summary>Name of the person in a row that begins with id, name_key, name.</summary>
    public string PersonName(SqliteDataReader row) =>
        Encoding.UTF8.GetString(cipher.Encrypts ? Open(Name, row.GetInt64(0), row.GetInt64(0), row[2] as byte[] ?? []) : (byte[])row[1]);

    /// <summary>The bytes by which a person is looked up.</summary>
    public byte[] NameKey(string person) => cipher.NameKey(person);

    /// <summary>A template's embedding as it is stored.</summary>
    public byte[] Seal(long template, long person, ReadOnlySpan<float> embedding)
    {
        byte[] bytes = MemoryMarshal.AsBytes(embedding).ToArray();
        ConvertLittleEndian(bytes);
        return cipher.Seal(Template, template, person, bytes);
    }

    /// <summary>Reads a stored embedding.</summary>
    /// <exception cref="UniFaceException">It is damaged, or of another size than <paramref name="embedding"/>.</exception>
    public void Open(long template, long person, byte[] stored, Span<float> embedding)
    {
        byte[] bytes = Open(Template, template, person, stored);
        if (bytes.Length != embedding.Length * sizeof(float))
        {
            throw new UniFaceException(
                $"{path}: template {template} has {bytes.Length} bytes, expected {embedding.Length * sizeof(float)}: the gallery is damaged; " +
                "restore it from a copy.");
        }

        bytes.CopyTo(MemoryMarshal.AsBytes(embedding));
        ConvertLittleEndian(MemoryMarshal.AsBytes(embedding));
    }

    // Embeddings are stored in little-endian byte order.
    private static void ConvertLittleEndian(Span<byte> values)
    {
        if (!BitConverter.IsLittleEndian)
        {
            Span<int> words = MemoryMarshal.Cast<byte, int>(values);
            BinaryPrimitives.ReverseEndianness(words, words);
        }
    }

    /// <summary>Reads a stored embedding and checks its checksum, size, key and norm.</summary>
    /// <returns>What is wrong; null if nothing is.</returns>
    public string? FindFault(long template, long person, byte[] stored, long checksum, GalleryInfo info, Span<float> embedding)
    {
        if (Checksum(template, stored) != checksum)
        {
            return "the checksum does not match";
        }

        try
        {
            Open(template, person, stored, embedding);
            info.Ensure(embedding);
            return null;
        }
        catch (UniFaceException e)
        {
            return e.Message;
        }
    }

    /// <summary>A stored crop.</summary>
    public byte[] OpenCrop(long template, long person, byte[] stored) => Open(Crop, template, person, stored);

    /// <summary>A stored source; null if there is none.</summary>
    public string? OpenSource(long template, long person, object stored) =>
        stored is byte[] bytes ? Encoding.UTF8.GetString(Open(Source, template, person, bytes)) : null;

    /// <summary>The SHA-256 of a template's photo as it is stored; null if it is unknown.</summary>
    public byte[]? SealPhoto(long template, long person, string? sha256) =>
        sha256 is null ? null : cipher.Seal(Photo, template, person, Convert.FromHexString(sha256));

    /// <summary>The columns of a template as they are stored, as parameters of a statement.</summary>
    public (string Name, object? Value)[] SealTemplate(long template, long person, ReadOnlySpan<float> embedding, string? source, string? sha256)
    {
        byte[] stored = Seal(template, person, embedding);
        return
        [
            ("$id", template),
            ("$embedding", stored),
            ("$checksum", Checksum(template, stored)),
            ("$source", source is null ? null : cipher.Seal(Source, template, person, Encoding.UTF8.GetBytes(source))),
            ("$photo", SealPhoto(template, person, sha256)),
        ];
    }

    /// <summary>A crop as it is stored, as parameters of a statement.</summary>
    public (string Name, object? Value)[] SealCrop(long template, long person, ReadOnlySpan<byte> crop)
    {
        byte[] stored = cipher.Seal(Crop, template, person, crop);
        return [("$id", template), ("$image", stored), ("$checksum", Checksum(template, stored))];
    }

    /// <summary>The stored SHA-256 of a photo; null if it is unknown.</summary>
    public string? OpenPhoto(long template, long person, object stored) =>
        stored is byte[] bytes ? Convert.ToHexStringLower(Open(Photo, template, person, bytes)) : null;

    /// <summary>The photos of a person's templates.</summary>
    public PersonPhotos Photos(SqliteConnection connection, long person, int embeddingSize) => new(connection.Query(
        "SELECT id, photo, CASE WHEN photo IS NULL THEN embedding END FROM template WHERE person = $person ORDER BY id",
        row =>
        {
            float[]? embedding = null;
            if (row[2] is byte[] stored)
            {
                embedding = new float[embeddingSize];
                Open(row.GetInt64(0), person, stored, embedding);
            }

            return (row.GetInt64(0), OpenPhoto(row.GetInt64(0), person, row[1]), embedding);
        },
        ("$person", person)));

    /// <summary>Checksum of a stored record; finds damage in galleries without encryption.</summary>
    public static long Checksum(long id, ReadOnlySpan<byte> stored)
    {
        uint crc = BitOperations.Crc32C(uint.MaxValue, (ulong)id);
        while (stored.Length >= 8)
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(stored));
            stored = stored[8..];
        }

        foreach (byte value in stored)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return crc;
    }

    private byte[] Open(string kind, long id, long person, byte[] stored)
    {
        try
        {
            return cipher.Open(kind, id, person, stored);
        }
        catch (CryptographicException e)
        {
            throw new UniFaceException(
                $"{path}: the {kind} of {id} cannot be decrypted: it is damaged, or belongs to another record; restore the gallery from a copy.", e);
        }
    }
}
