using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;

namespace UniFace.Gallery.Sqlite;

/// <summary>People, templates and crops as records of the database: sealed, checked and named in errors.</summary>
internal sealed class GalleryRecords(string path, RecordCipher cipher)
{
    private const string Name = "name", Template = "template", Crop = "crop", Source = "source", Photo = "photo";

    /// <summary>Id of a person; null for one who is not enrolled.</summary>
    public long? FindPerson(SqliteConnection connection, string person) =>
        (long?)GalleryDatabase.Scalar(connection, "SELECT id FROM person WHERE name_key = $key", ("$key", cipher.NameKey(person)));

    /// <summary>Enrols a person without templates.</summary>
    public long AddPerson(SqliteConnection connection, string person)
    {
        byte[] key = cipher.NameKey(person);
        long id = (long)GalleryDatabase.Scalar(connection, "INSERT INTO person(name_key) VALUES($key) RETURNING id", ("$key", key))!;
        if (cipher.Encrypts)
        {
            PutName(connection, id, person);
        }

        return id;
    }

    /// <summary>Stores a person's name.</summary>
    public void PutName(SqliteConnection connection, long id, string person) => GalleryDatabase.Run(
        connection,
        "UPDATE person SET name_key = $key, name = $name WHERE id = $id",
        ("$id", id),
        ("$key", cipher.NameKey(person)),
        ("$name", cipher.Encrypts ? cipher.Seal(Name, id, id, Encoding.UTF8.GetBytes(person)) : null));

    /// <summary>Names of people by their ids, by one statement; those who are enrolled no more are missing.</summary>
    public Dictionary<long, string> PersonNames(SqliteConnection connection, IEnumerable<long> ids)
    {
        Dictionary<long, string> names = [];
        using SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT name_key, name FROM person WHERE id = $id", ("$id", 0L));
        foreach (long id in ids)
        {
            command.Parameters[0].Value = id;
            using SqliteDataReader reader = command.ExecuteReader();
            if (reader.Read())
            {
                names.Add(id, PersonName(id, (byte[])reader[0], reader[1] as byte[]));
            }
        }

        return names;
    }

    /// <summary>Name of a person from its columns.</summary>
    public string PersonName(long id, byte[] key, byte[]? name) =>
        Encoding.UTF8.GetString(cipher.Encrypts ? Open(Name, id, id, name ?? []) : key);

    /// <summary>A template's embedding as it is stored.</summary>
    public byte[] Seal(long template, long person, ReadOnlySpan<float> embedding)
    {
        byte[] bytes = new byte[embedding.Length * sizeof(float)];
        for (int i = 0; i < embedding.Length; i++)
        {
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), embedding[i]);
        }

        return cipher.Seal(Template, template, person, bytes);
    }

    /// <summary>A stored embedding.</summary>
    /// <param name="template">Its template's id.</param>
    /// <param name="person">Its person's id.</param>
    /// <param name="stored">As it is stored.</param>
    /// <param name="embedding">To write it to; of the gallery's size.</param>
    /// <exception cref="UniFaceException">It is damaged, or of another size.</exception>
    public void Open(long template, long person, byte[] stored, Span<float> embedding)
    {
        byte[] bytes = Open(Template, template, person, stored);
        if (bytes.Length != embedding.Length * sizeof(float))
        {
            throw new UniFaceException($"{path}: template {template} has {bytes.Length} bytes, expected {embedding.Length * sizeof(float)}: the gallery is damaged; restore it from a copy.");
        }

        if (BitConverter.IsLittleEndian)
        {
            MemoryMarshal.Cast<byte, float>(bytes).CopyTo(embedding);
            return;
        }

        for (int i = 0; i < embedding.Length; i++)
        {
            embedding[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(i * sizeof(float)));
        }
    }

    /// <summary>Reads a stored embedding if its checksum, size, key and norm are right.</summary>
    /// <returns>What is wrong; null if nothing is.</returns>
    public string? Fault(long template, long person, byte[] stored, long checksum, GalleryInfo info, Span<float> embedding)
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

    /// <summary>A crop as it is stored.</summary>
    public byte[] SealCrop(long template, long person, ReadOnlySpan<byte> crop) => cipher.Seal(Crop, template, person, crop);

    /// <summary>A stored crop.</summary>
    public byte[] OpenCrop(long template, long person, byte[] stored) => Open(Crop, template, person, stored);

    /// <summary>A template's source as it is stored.</summary>
    public byte[] SealSource(long template, long person, string source) => cipher.Seal(Source, template, person, Encoding.UTF8.GetBytes(source));

    /// <summary>A stored source.</summary>
    public string OpenSource(long template, long person, byte[] stored) => Encoding.UTF8.GetString(Open(Source, template, person, stored));

    /// <summary>The SHA-256 of a template's photo as it is stored.</summary>
    public byte[] SealPhoto(long template, long person, string sha256) => cipher.Seal(Photo, template, person, Convert.FromHexString(sha256));

    /// <summary>A stored SHA-256 of a photo.</summary>
    public string OpenPhoto(long template, long person, byte[] stored) => Convert.ToHexStringLower(Open(Photo, template, person, stored));

    /// <summary>The photos of a person's templates.</summary>
    public PersonPhotos Photos(SqliteConnection connection, long person, int embeddingSize)
    {
        using SqliteCommand command = GalleryDatabase.Prepare(
            connection,
            "SELECT id, photo, CASE WHEN photo IS NULL THEN embedding END FROM template WHERE person = $person ORDER BY id",
            ("$person", person));
        using SqliteDataReader reader = command.ExecuteReader();
        List<(long, string?, float[]?)> templates = [];
        while (reader.Read())
        {
            long id = reader.GetInt64(0);
            float[]? embedding = null;
            if (reader[2] is byte[] stored)
            {
                embedding = new float[embeddingSize];
                Open(id, person, stored, embedding);
            }

            templates.Add((id, reader[1] is byte[] photo ? OpenPhoto(id, person, photo) : null, embedding));
        }

        return new PersonPhotos(templates);
    }

    /// <summary>Checksum of a stored record, which finds damage where nothing is encrypted.</summary>
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
            throw new UniFaceException($"{path}: the {kind} of {id} cannot be decrypted: it is damaged or was moved here from elsewhere; restore the gallery from a copy.", e);
        }
    }
}
