using System.Data.Common;
using System.Numerics;

namespace UniFace.Gallery.Sqlite;

/// <summary>An open gallery file: its database, and its records, which are encrypted if it has a key.</summary>
internal sealed class GalleryStore(GalleryDatabase database, RecordCipher cipher, GalleryInfo info) : SqlStore(info), IDisposable
{
    private const string KeyCheck = "key_check", Reembed = "reembed";

    /// <inheritdoc/>
    public override GalleryDatabase Database => database;

    /// <inheritdoc/>
    public override string Path => database.Path;

    /// <inheritdoc/>
    public override string KeyColumn => "name_key";

    /// <inheritdoc/>
    public override string EnrolledSql => $"coalesce(enrolled, (SELECT value FROM meta WHERE key = '{GalleryDatabase.TimesSince}'), 0)";

    /// <inheritdoc/>
    public override string InsertPendingSql => "INSERT INTO pending SELECT id, $2 FROM template WHERE id = $1 ON CONFLICT DO NOTHING";

    /// <summary>Creates an empty gallery file.</summary>
    public static async Task CreateAsync(string path, GalleryInfo options, GalleryKey? key)
    {
        GalleryInfo info = options.ForCreation();
        using RecordCipher cipher = new(path, info.Id, key);
        await GalleryDatabase.CreateAsync(path, async session =>
        {
            await session.SetInfoAsync(info);
            await session.SetModelAsync(info);
            await SetKeyAsync(session, cipher);
        });
    }

    /// <summary>Opens the gallery of a database; disposes the database if that fails.</summary>
    public static async Task<GalleryStore> OpenAsync(GalleryDatabase database, GalleryKey? key, CancellationToken stop)
    {
        RecordCipher? cipher = null;
        string path = database.Path;
        try
        {
            (GalleryInfo info, byte[] check) = await database.ReadAsync(
                async session => (await session.ReadInfoAsync(path), await session.MetaAsync(KeyCheck) as byte[] ?? []), stop);
            if (info.Encrypted != key is not null)
            {
                throw new UniFaceException(info.Encrypted
                    ? $"{path}: the gallery is encrypted; give its key."
                    : $"{path}: the gallery is not encrypted, but a key was given; leave it out.");
            }

            cipher = new RecordCipher(path, info.Id, key);
            try
            {
                _ = cipher.Open("key", 0, 0, check);
            }
            catch (UniFaceException e)
            {
                throw new UniFaceException($"{path}: this is not the gallery's key; give the key that the gallery was created with.", e);
            }

            if (!database.IsReadOnly)
            {
                await database.AddMissingColumnsAsync(stop);
            }

            return new GalleryStore(database, cipher, info);
        }
        catch
        {
            cipher?.Dispose();
            database.Dispose();
            throw;
        }
    }

    /// <summary>This gallery in a copy of its database; shares the cipher, so only the copied database is to be disposed.</summary>
    public GalleryStore WithDatabase(GalleryDatabase copy) => new(copy, cipher, Info);

    /// <summary>Stores how the gallery is encrypted.</summary>
    public static async Task SetKeyAsync(SqlSession session, RecordCipher cipher)
    {
        await session.SetMetaAsync("encrypted", cipher.Encrypts ? 1L : 0L);
        await session.SetMetaAsync(KeyCheck, cipher.Seal("key", 0, 0, "uniface"u8));
    }

    /// <summary>Stores a person's name.</summary>
    public Task SetNameAsync(SqlSession session, long person, string name) => session.RunAsync(
        "UPDATE person SET name_key = $2, name = $3 WHERE id = $1",
        person,
        ToKey(name),
        cipher.Encrypts ? Seal("name", person, person, Encoding.UTF8.GetBytes(name)) : null);

    /// <summary>Deletes what an unfinished move to another model stored.</summary>
    public static Task DiscardMoveAsync(SqlSession session) => session.RunAsync("DELETE FROM pending; DELETE FROM meta WHERE key = $1", Reembed);

    /// <summary>Names of people by id; people who are no longer enrolled are missing.</summary>
    public async Task<Dictionary<long, string>> PersonNamesAsync(SqlSession session, IEnumerable<long> ids) => (await session.QueryAsync(
        $"SELECT {PersonSql} FROM person p WHERE id IN (SELECT value FROM json_each($1))",
        r => ((long)r["id"], ReadText(r, "name")!),
        $"[{string.Join(',', ids)}]")).ToDictionary();

    /// <inheritdoc/>
    public override byte[] ToKey(string person) => cipher.NameKey(person);

    /// <inheritdoc/>
    public override object ToTime(DateTimeOffset time) => time.ToUnixTimeSeconds();

    /// <inheritdoc/>
    public override byte[] Seal(string kind, long id, long person, ReadOnlySpan<byte> record) => cipher.Seal(kind, id, person, record);

    /// <inheritdoc/>
    public override byte[] Open(string kind, long id, long person, byte[] stored) => cipher.Open(kind, id, person, stored);

    /// <inheritdoc/>
    public override byte[] SealEmbedding(long template, long person, ReadOnlyMemory<float> embedding) =>
        Seal("template", template, person, MemoryMarshal.AsBytes(embedding.Span));

    /// <summary>A template as it is stored: id, person, embedding, checksum, source and photo.</summary>
    public object?[] SealTemplate(long id, long person, Enrollment enrollment)
    {
        byte[] embedding = SealEmbedding(id, person, enrollment.Embedding);
        byte[]? source = enrollment.Source is string text ? Seal("source", id, person, Encoding.UTF8.GetBytes(text)) : null;
        return [id, person, embedding, Checksum(id, embedding), source, SealPhoto(id, person, enrollment.PhotoSha256)];
    }

    /// <summary>A crop as it is stored: template, checksum and image.</summary>
    public object?[] SealCrop(long template, long person, ReadOnlyMemory<byte> crop)
    {
        byte[] stored = Seal("crop", template, person, crop.Span);
        return [template, Checksum(template, stored), stored];
    }

    /// <inheritdoc/>
    public override float[] ReadEmbedding(DbDataReader row)
    {
        float[] embedding = new float[Info.EmbeddingSize];
        OpenEmbedding((long)row["id"], (long)row["person"], (byte[])row["embedding"], embedding);
        return embedding;
    }

    /// <inheritdoc/>
    public override string? FindFault(DbDataReader row) => FindFault(
        (long)row["id"], (long)row["person"], (byte[])row["embedding"], (long)row["checksum"], new float[Info.EmbeddingSize]);

    /// <summary>Reads a stored embedding and checks its checksum, size, key and norm.</summary>
    /// <returns>What is wrong; null if nothing is.</returns>
    public string? FindFault(long template, long person, byte[] stored, long checksum, Span<float> embedding)
    {
        if (Checksum(template, stored) != checksum)
        {
            return "the checksum does not match";
        }

        try
        {
            OpenEmbedding(template, person, stored, embedding);
            Info.Ensure(embedding);
            return null;
        }
        catch (UniFaceException e)
        {
            return e.Message;
        }
    }

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

    /// <inheritdoc/>
    public override async Task EnsureModelAsync(SqlSession session, string contractId, GalleryLock locking = GalleryLock.None)
    {
        if (await session.MetaAsync("contract") as string != contractId)
        {
            throw GalleryMovedException.Create(Path, "moved to another model");
        }

        await EnsureSameKeyAsync(session);
    }

    /// <inheritdoc/>
    /// <remarks>The old key finds no name in the gallery.</remarks>
    public override async Task EnsureSameKeyAsync(SqlSession session)
    {
        if (await session.MetaAsync(GalleryMetadata.Generation) as string != Info.Generation)
        {
            throw GalleryMovedException.Create(Path, "restored or given another key");
        }
    }

    /// <inheritdoc/>
    public override async Task<Dictionary<string, long>> AddPeopleAsync(SqlSession session, string[] names)
    {
        Dictionary<string, long> people = [];
        foreach (string name in names)
        {
            byte[] key = ToKey(name);
            if (await session.ScalarAsync("SELECT id FROM person WHERE name_key = $1", key) is not long id)
            {
                id = (long)(await session.ScalarAsync("INSERT INTO person(name_key) VALUES($1) RETURNING id", key))!;
                if (cipher.Encrypts)
                {
                    await SetNameAsync(session, id, name);
                }
            }

            people.Add(name, id);
        }

        return people;
    }

    /// <inheritdoc/>
    public override async Task<List<long>> NextIdsAsync(SqlSession session, int count)
    {
        long change = await session.ChangeAsync();
        return [.. Enumerable.Range(1, count).Select(i => change + i)];
    }

    /// <inheritdoc/>
    public override async Task InsertAsync(SqlSession session, IReadOnlyList<NewTemplate> templates)
    {
        long now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        IAsyncEnumerable<NewTemplate> rows = templates.ToAsyncEnumerable();
        await session.RunEachAsync(
            "INSERT INTO template(id, person, embedding, checksum, source, photo, enrolled) VALUES($1, $2, $3, $4, $5, $6, $7)",
            rows.Select(object?[] (t) => [.. SealTemplate(t.Id, t.Person, t.Enrollment), now]));
        if (Info.KeepsCrops)
        {
            await session.RunEachAsync(
                "INSERT INTO crop(template, checksum, image) VALUES($1, $2, $3)",
                rows.Select(t => SealCrop(t.Id, t.Person, t.Enrollment.Crop)));
        }

        if (templates is [.., NewTemplate last])
        {
            await session.SetMetaAsync("change", last.Id);
        }
    }

    /// <inheritdoc/>
    public override async Task DeletePersonAsync(SqlSession session, long person) =>
        await session.RunAsync(SqlDatabase.ReadSql<GalleryDatabase>("delete-person.sql"), person, await session.ChangeAsync());

    /// <inheritdoc/>
    public override async Task BeginMoveAsync(SqlSession session, GalleryModel model)
    {
        if (await session.MetaAsync(Reembed) as string != model.ContractId)
        {
            await DiscardMoveAsync(session);
            await session.SetMetaAsync(Reembed, model.ContractId);
        }
    }

    /// <inheritdoc/>
    public override async Task MoveAsync(SqlSession session, GalleryInfo after)
    {
        await session.RunEachAsync(
            "UPDATE template SET embedding = $2, checksum = $3 WHERE id = $1",
            session.StreamAsync("SELECT template, embedding FROM pending", object?[] (r) =>
            {
                (long id, byte[] stored) = (r.GetInt64(0), (byte[])r[1]);
                return [id, stored, Checksum(id, stored)];
            }));
        await DiscardMoveAsync(session);
        await session.SetModelAsync(after);
    }

    /// <summary>Closes the database and erases the key from memory.</summary>
    public void Dispose()
    {
        cipher.Dispose();
        database.Dispose();
    }

    /// <inheritdoc/>
    protected override string NameSql => "coalesce(p.name, p.name_key)";

    /// <inheritdoc/>
    protected override string Table(string name) => name;

    private void OpenEmbedding(long template, long person, byte[] stored, Span<float> embedding)
    {
        byte[] bytes = Open("template", template, person, stored);
        if (bytes.Length != embedding.Length * sizeof(float))
        {
            throw new UniFaceException(
                $"{Path}: template {template} has {bytes.Length} bytes, expected {embedding.Length * sizeof(float)}: the gallery is damaged; " +
                "restore it from a copy.");
        }

        // In little-endian byte order, as the kernels of the index require it anyway.
        bytes.CopyTo(MemoryMarshal.AsBytes(embedding));
    }
}
