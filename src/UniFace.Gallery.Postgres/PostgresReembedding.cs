namespace UniFace.Gallery.Postgres;

/// <summary>Moves a gallery on PostgreSQL to another model; a table of its own holds the new embeddings until all are there.</summary>
internal sealed class PostgresReembedding : Reembedding
{
    private readonly PostgresStore store;
    private readonly string before;

    public PostgresReembedding(PostgresStore store, GalleryModel model)
        : base(store.Info, model, store.Path)
    {
        (this.store, before) = (store, store.Info.ContractId);
        if (model.EmbeddingSize < 1 || model.EmbeddingSize > PostgresStore.LargestEmbedding(store.Hnsw))
        {
            throw new UniFaceException($"pgvector does not support embeddings of {model.EmbeddingSize} values{(store.Hnsw ? " with HNSW" : "")}.");
        }
    }

    protected override Task BeginAsync(CancellationToken stop) => store.Database.WriteAsync(
        async session =>
        {
            await store.EnsureModelAsync(session, before, "FOR UPDATE");
            object? started = await session.ScalarAsync("SELECT reembed FROM uniface.gallery WHERE id = $1", store.Number);
            if (started as string != Model.ContractId)
            {
                // The new embedding is deleted with its template when its person is removed.
                await session.RunAsync($"DROP TABLE IF EXISTS {store.Pending}");
                await session.RunAsync(
                    $"CREATE TABLE {store.Pending}(gallery bigint NOT NULL, template bigint PRIMARY KEY, embedding vector NOT NULL, " +
                    $"FOREIGN KEY (gallery, template) REFERENCES {store.Templates}(gallery, id) ON DELETE CASCADE)");
                await session.RunAsync("UPDATE uniface.gallery SET reembed = $2 WHERE id = $1", store.Number, Model.ContractId);
            }
        },
        stop);

    protected override Task<List<StoredCrop>> ReadBatchAsync(int size, CancellationToken stop) => store.Database.ReadAsync(
        session => session.QueryAsync(
            $"SELECT template, image FROM {store.Crops} c " +
            $"WHERE NOT EXISTS (SELECT 1 FROM {store.Pending} WHERE template = c.template) ORDER BY template LIMIT $1",
            r => new StoredCrop(r.GetInt64(0), Person: 0, r.GetFieldValue<byte[]>(1)),
            size),
        stop);

    protected override Task<(long Done, long All)> StoreBatchAsync(
        IReadOnlyList<(StoredCrop Crop, ReadOnlyMemory<float> Embedding)> batch, CancellationToken stop) => store.Database.WriteAsync(
        async session =>
        {
            // Selects nothing if the person was removed since; another process may have stored the same embedding.
            string sql = $"INSERT INTO {store.Pending} SELECT gallery, id, $2 FROM {store.Templates} WHERE id = $1 FOR KEY SHARE ON CONFLICT DO NOTHING";
            foreach ((StoredCrop crop, ReadOnlyMemory<float> embedding) in batch)
            {
                await session.RunAsync(sql, crop.Template, new Vector(embedding));
            }

            return (await session.QueryAsync(
                $"SELECT (SELECT count(*) FROM {store.Pending}), (SELECT count(*) FROM {store.Templates})",
                r => (r.GetInt64(0), r.GetInt64(1))))[0];
        },
        stop);

    protected override Task<bool> TryMoveAsync(CancellationToken stop) => store.Database.WriteAsync(
        async session =>
        {
            // Nobody is enrolled or removed until the transaction ends.
            await store.EnsureModelAsync(session, before, "FOR UPDATE");
            await session.RunAsync($"LOCK TABLE {store.Templates} IN SHARE ROW EXCLUSIVE MODE");
            string missing = $"SELECT 1 FROM {store.Templates} t WHERE NOT EXISTS (SELECT 1 FROM {store.Pending} WHERE template = t.id) LIMIT 1";
            if (await session.ScalarAsync(missing) is not null)
            {
                return false;
            }

            await session.RunAsync(
                store.DropSizeSql
                + $"UPDATE {store.Templates} t SET embedding = p.embedding FROM {store.Pending} p WHERE p.template = t.id; "
                + $"DROP TABLE {store.Pending}; "
                + store.SetSizeSql(After.EmbeddingSize));
            await session.RunAsync(
                "UPDATE uniface.gallery SET contract = $2, embedding_size = $3, package = $4, reembed = NULL, unerased = pg_current_xact_id() WHERE id = $1",
                store.Number,
                After.ContractId,
                After.EmbeddingSize,
                After.Package);
            return true;
        },
        stop);
}
