namespace UniFace.Gallery.Sqlite;

/// <summary>The key-value table <c>meta</c> of a gallery file.</summary>
internal static class GalleryMetadata
{
    /// <summary>Key of the random text that changes when the file's content is replaced or its key changes.</summary>
    public const string Generation = "generation";

    /// <summary>A value; null if it is missing.</summary>
    public static Task<object?> MetaAsync(this SqlSession session, string key) => session.ScalarAsync("SELECT value FROM meta WHERE key = $1", key);

    /// <summary>Sets a value.</summary>
    public static Task SetMetaAsync(this SqlSession session, string key, object? value) =>
        session.RunAsync("INSERT OR REPLACE INTO meta VALUES($1, $2)", key, value);

    /// <summary>Number of the last change.</summary>
    public static async Task<long> ChangeAsync(this SqlSession session) => await session.MetaAsync("change") is long change
        ? change
        : throw new UniFaceException("the gallery has no change counter: it is damaged; restore it from a copy.");

    /// <summary>Starts a new generation: processes that have the gallery open must open it again, and stored indexes are obsolete.</summary>
    public static Task SetGenerationAsync(this SqlSession session) => session.SetMetaAsync(Generation, GalleryInfo.NewId());

    /// <summary>Stores what a new gallery is, apart from its model and key.</summary>
    public static async Task SetInfoAsync(this SqlSession session, GalleryInfo info)
    {
        await session.SetMetaAsync("format", GalleryDatabase.Format);
        await session.SetMetaAsync("id", info.Id);
        await session.SetMetaAsync("scoring", info.Scoring.ToString());
        await session.SetMetaAsync("crops", info.KeepsCrops ? 1L : 0L);
        await session.SetMetaAsync("change", 0L);
    }

    /// <summary>Stores the model whose embeddings the gallery holds.</summary>
    public static async Task SetModelAsync(this SqlSession session, GalleryInfo info)
    {
        await session.SetMetaAsync("contract", info.ContractId);
        await session.SetMetaAsync("embedding_size", (long)info.EmbeddingSize);
        await session.SetMetaAsync("package", info.Package);
    }

    /// <summary>Reads what a gallery is.</summary>
    /// <exception cref="UniFaceException">The database is not of a gallery, of another version, or damaged.</exception>
    public static async Task<GalleryInfo> ReadInfoAsync(this SqlSession session, string path)
    {
        bool hasMeta = await session.ScalarAsync("SELECT count(*) FROM sqlite_master WHERE name = 'meta'") is 1L;
        if (!hasMeta || await session.MetaAsync("format") is not long format)
        {
            throw new UniFaceException($"{path}: a database, but not of a gallery; create a gallery with 'uniface gallery create'.");
        }

        GalleryInfo.EnsureFormat(path, format, GalleryDatabase.Format);
        async Task<T> GetAsync<T>(string key) => await session.MetaAsync(key) is T value
            ? value
            : throw new UniFaceException($"{path}: the gallery's {key} is missing: the gallery is damaged; restore it from a copy.");
        return new GalleryInfo
        {
            Id = await GetAsync<string>("id"),
            ContractId = await GetAsync<string>("contract"),
            EmbeddingSize = GalleryInfo.ParseSize(path, await GetAsync<long>("embedding_size"), largest: 65536),
            Scoring = GalleryInfo.ParseScoring(path, await GetAsync<string>("scoring")),
            KeepsCrops = await GetAsync<long>("crops") != 0,
            Encrypted = await GetAsync<long>("encrypted") != 0,
            Package = await session.MetaAsync("package") as string,
            Generation = await session.MetaAsync(Generation) as string,
        };
    }
}
