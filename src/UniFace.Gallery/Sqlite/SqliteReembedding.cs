namespace UniFace.Gallery.Sqlite;

/// <summary>Moves a gallery file to another model; the table <c>pending</c> holds the new embeddings until all are there.</summary>
internal sealed class SqliteReembedding(GalleryStore store, GalleryModel model) : Reembedding(store.Info, model, store.Path)
{
    protected override Task BeginAsync(CancellationToken stop) => store.Database.WriteAsync(
        connection =>
        {
            store.EnsureUnmoved(connection);
            if (connection.Meta("reembed") as string != Model.ContractId)
            {
                connection.Run("DELETE FROM pending");
                connection.SetMeta("reembed", Model.ContractId);
            }
        },
        stop);

    protected override Task<List<StoredCrop>> ReadBatchAsync(int size, CancellationToken stop) => store.Database.ReadAsync(
        connection => connection.Query(
            "SELECT t.id, t.person, c.image FROM template t JOIN crop c ON c.template = t.id " +
            "WHERE t.id > (SELECT coalesce(max(template), 0) FROM pending) ORDER BY t.id LIMIT $size",
            r => new StoredCrop(r.GetInt64(0), r.GetInt64(1), store.Records.OpenCrop(r.GetInt64(0), r.GetInt64(1), (byte[])r[2])),
            ("$size", size)).ToList(),
        stop);

    protected override Task<(long Done, long All)> StoreBatchAsync(
        IReadOnlyList<(StoredCrop Crop, ReadOnlyMemory<float> Embedding)> batch, CancellationToken stop) => store.Database.WriteAsync(
            connection =>
            {
                foreach ((StoredCrop crop, ReadOnlyMemory<float> embedding) in batch)
                {
                    // Selects nothing if the person was removed since.
                    connection.Run(
                        "INSERT OR REPLACE INTO pending SELECT id, $embedding FROM template WHERE id = $id",
                        ("$id", crop.Template),
                        ("$embedding", store.Records.Seal(crop.Template, crop.Person, embedding.Span)));
                }

                return ((long)connection.Scalar("SELECT count(*) FROM pending")!, (long)connection.Scalar("SELECT count(person) FROM template")!);
            },
            stop);

    protected override Task<bool> TryMoveAsync(CancellationToken stop) => store.Database.WriteAsync(
        connection =>
        {
            if (connection.Scalar("SELECT 1 FROM template t WHERE NOT EXISTS (SELECT 1 FROM pending WHERE template = t.id) LIMIT 1") is not null)
            {
                return false;
            }

            const string Sql = "UPDATE template SET embedding = $embedding, checksum = $checksum WHERE id = $id";
            using SqliteCommand update = connection.Prepare(Sql, ("$id", 0L), ("$checksum", 0L), ("$embedding", null));
            foreach ((long id, byte[] stored) in connection.Query("SELECT template, embedding FROM pending", r => (r.GetInt64(0), (byte[])r[1])))
            {
                stop.ThrowIfCancellationRequested();
                update.Parameters[0].Value = id;
                update.Parameters[1].Value = GalleryRecords.Checksum(id, stored);
                update.Parameters[2].Value = stored;
                update.ExecuteNonQuery();
            }

            Discard(connection);
            GalleryStore.SetModel(connection, After);
            return true;
        },
        stop);

    /// <summary>Deletes what an unfinished move stored.</summary>
    public static void Discard(SqliteConnection connection) => connection.Run("DELETE FROM pending; DELETE FROM meta WHERE key = 'reembed';");
}
