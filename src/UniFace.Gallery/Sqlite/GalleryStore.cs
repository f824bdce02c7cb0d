namespace UniFace.Gallery.Sqlite;

/// <summary>An open gallery file: its database, its records and what the gallery is.</summary>
internal sealed class GalleryStore : IDisposable
{
    private const string Generation = "generation", KeyCheck = "key_check";

    private readonly RecordCipher cipher;
    private volatile GalleryInfo info;

    private GalleryStore(GalleryDatabase database, RecordCipher cipher, GalleryInfo info)
    {
        Database = database;
        this.cipher = cipher;
        this.info = info;
        Records = new GalleryRecords(database.Path, cipher);
    }

    /// <summary>The database.</summary>
    public GalleryDatabase Database { get; }

    /// <summary>The records of the database.</summary>
    public GalleryRecords Records { get; }

    /// <summary>The file.</summary>
    public string Path => Database.Path;

    /// <summary>What the gallery is; re-embedding changes it.</summary>
    public GalleryInfo Info
    {
        get => info;
        set => info = value;
    }

    /// <summary>Creates an empty gallery file.</summary>
    public static void Create(string path, GalleryInfo options, GalleryKey? key)
    {
        GalleryInfo info = options.ForCreation();
        using RecordCipher cipher = new(info.Id, key);
        GalleryDatabase.Create(path, connection =>
        {
            connection.SetMeta("format", GalleryDatabase.Format);
            connection.SetMeta("id", info.Id);
            connection.SetMeta("scoring", info.Scoring.ToString());
            connection.SetMeta("crops", info.KeepsCrops ? 1L : 0L);
            connection.SetMeta("change", 0L);
            SetKey(connection, key, cipher);
            SetModel(connection, info);
        });
    }

    /// <summary>Opens the gallery of a database; disposes the database if that fails.</summary>
    public static async Task<GalleryStore> OpenAsync(GalleryDatabase database, GalleryKey? key, CancellationToken stop)
    {
        RecordCipher? cipher = null;
        string path = database.Path;
        try
        {
            (GalleryInfo info, byte[] check) = await database.ReadAsync(c => (ReadInfo(c, path), c.Meta(KeyCheck) as byte[] ?? []), stop);
            if (info.Encrypted != key is not null)
            {
                throw new UniFaceException(info.Encrypted
                    ? $"{path}: the gallery is encrypted; give its key."
                    : $"{path}: the gallery is not encrypted, but a key was given; leave it out.");
            }

            cipher = new RecordCipher(info.Id, key);
            try
            {
                _ = cipher.Open("key", 0, 0, check);
            }
            catch (CryptographicException e)
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
    public GalleryStore WithDatabase(GalleryDatabase copy) => new(copy, cipher, info);

    /// <summary>Stores the model whose embeddings the gallery holds.</summary>
    public static void SetModel(SqliteConnection connection, GalleryInfo info)
    {
        connection.SetMeta("contract", info.ContractId);
        connection.SetMeta("embedding_size", (long)info.EmbeddingSize);
        connection.SetMeta("package", info.Package);
    }

    /// <summary>Stores how the gallery is encrypted.</summary>
    public static void SetKey(SqliteConnection connection, GalleryKey? key, RecordCipher cipher)
    {
        connection.SetMeta("encrypted", key is null ? 0L : 1L);
        connection.SetMeta(KeyCheck, cipher.Seal("key", 0, 0, "uniface"u8));
    }

    /// <summary>Starts a new generation: processes that have the gallery open must open it again, and stored indexes are obsolete.</summary>
    public static void SetGeneration(SqliteConnection connection) => connection.SetMeta(Generation, GalleryInfo.NewId());

    /// <summary>Fails if another process moved the gallery to another model, restored it or changed its key since it was opened.</summary>
    public void EnsureUnmoved(SqliteConnection connection)
    {
        if (connection.Meta("contract") as string != info.ContractId)
        {
            throw GalleryMovedException.Create(Path, "moved to another model");
        }

        EnsureSameKey(connection);
    }

    /// <summary>Fails if another process restored the gallery or changed its key since it was opened: the old key finds no name in it.</summary>
    public void EnsureSameKey(SqliteConnection connection)
    {
        if (connection.Meta(Generation) as string != info.Generation)
        {
            throw GalleryMovedException.Create(Path, "restored or given another key");
        }
    }

    /// <summary>Closes the database and erases the key from memory.</summary>
    public void Dispose()
    {
        cipher.Dispose();
        Database.Dispose();
    }

    private static GalleryInfo ReadInfo(SqliteConnection connection, string path)
    {
        if (connection.Scalar("SELECT count(*) FROM sqlite_master WHERE name = 'meta'") is not 1L || connection.Meta("format") is not long format)
        {
            throw new UniFaceException($"{path}: a database, but not of a gallery; create a gallery with 'uniface gallery create'.");
        }

        GalleryInfo.EnsureFormat(path, format, GalleryDatabase.Format);
        T Get<T>(string key) => connection.Meta(key) is T value
            ? value
            : throw new UniFaceException($"{path}: the gallery's {key} is missing: the gallery is damaged; restore it from a copy.");
        return new GalleryInfo
        {
            Id = Get<string>("id"),
            ContractId = Get<string>("contract"),
            EmbeddingSize = GalleryInfo.ParseSize(path, Get<long>("embedding_size"), largest: 65536),
            Scoring = GalleryInfo.ParseScoring(path, Get<string>("scoring")),
            KeepsCrops = Get<long>("crops") != 0,
            Encrypted = Get<long>("encrypted") != 0,
            Package = connection.Meta("package") as string,
            Generation = connection.Meta(Generation) as string,
        };
    }
}
