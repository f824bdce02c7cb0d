using System.Globalization;
using Pgvector;
using UniFace.Gallery.Sqlite;

namespace UniFace.Gallery.Postgres;

/// <summary>Looking after a gallery on PostgreSQL: whether it is whole, its index, its model.</summary>
public sealed partial class PostgresGallery
{
    private const int ReembedBatch = 64;

    private string Pending => string.Create(CultureInfo.InvariantCulture, $"uniface.pending_{number}");

    /// <inheritdoc/>
    public Task StoreIndexAsync(bool always = true, CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task<long> RebuildIndexAsync(CancellationToken cancellationToken = default)
    {
        if (!hnsw)
        {
            throw new UniFaceException($"{Path}: the gallery is searched template by template and has no index; one created with --hnsw has.");
        }

        await database.OutsideAsync([string.Create(CultureInfo.InvariantCulture, $"REINDEX INDEX CONCURRENTLY uniface.template_{number}_hnsw")], cancellationToken).ConfigureAwait(false);
        return (await CountAsync(cancellationToken).ConfigureAwait(false)).Templates;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<string>> VerifyIntegrityAsync(int most = 100, CancellationToken cancellationToken = default) => database.ReadAsync<IReadOnlyList<string>>(
        async connection =>
        {
            List<string> problems = [];
            async Task CountAsync(string sql, string what)
            {
                if (await PostgresDatabase.ScalarAsync(connection, sql, cancellationToken).ConfigureAwait(false) is long count and > 0)
                {
                    problems.Add($"{count} {what}");
                }
            }

            await CountAsync($"SELECT count(*) FROM {Templates} t LEFT JOIN {People} p ON p.id = t.person WHERE p.id IS NULL", "templates are of nobody").ConfigureAwait(false);
            await CountAsync($"SELECT count(*) FROM {People} p WHERE NOT EXISTS (SELECT 1 FROM {Templates} WHERE person = p.id)", "people have no template").ConfigureAwait(false);
            await CountAsync($"SELECT count(*) FROM {Crops} c LEFT JOIN {Templates} t ON t.id = c.template WHERE t.id IS NULL", "crops are of no template").ConfigureAwait(false);
            await CountAsync($"SELECT count(*) FROM uniface.gallery WHERE unerased IS NOT NULL AND id = {number}", "removals are not erased yet; 'uniface gallery remove' does it").ConfigureAwait(false);
            if (info.KeepsCrops)
            {
                await CountAsync($"SELECT count(*) FROM {Templates} t WHERE NOT EXISTS (SELECT 1 FROM {Crops} WHERE template = t.id)", "templates have no crop").ConfigureAwait(false);
            }

            if (hnsw)
            {
                await CountAsync($"SELECT 1 - count(*) FROM pg_index WHERE indexrelid = to_regclass('uniface.template_{number}_hnsw') AND indisvalid", "index is missing or not valid; 'uniface gallery rebuild' makes it anew").ConfigureAwait(false);
            }

            foreach (string problem in await PostgresDatabase.RowsAsync(
                connection,
                $"SELECT id, vector_dims(embedding), vector_norm(embedding) FROM {Templates} WHERE vector_dims(embedding) <> $1 OR NOT abs(vector_norm(embedding) - 1) < $2 ORDER BY id LIMIT $3",
                r => string.Create(CultureInfo.InvariantCulture, $"template {r.GetInt64(0)}: {r.GetInt32(1)} values of norm {r.GetDouble(2):G4}, expected {info.EmbeddingSize} of norm 1"),
                cancellationToken,
                info.EmbeddingSize,
                EmbeddingCheck.NormTolerance,
                most).ConfigureAwait(false))
            {
                problems.Add(problem);
            }

            return [.. problems.Take(most)];
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task ReembedAsync(GalleryModel model, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        GalleryInfo after = info.MovedTo(model, Path);
        if (model.EmbeddingSize < 1 || model.EmbeddingSize > (hnsw ? 4000 : 16000))
        {
            throw new UniFaceException($"pgvector does not take embeddings of {model.EmbeddingSize} values{(hnsw ? " with HNSW" : "")}.");
        }

        string before = info.ContractId;
        await database.WriteAsync(
            async connection =>
            {
                await EnsureModelAsync(connection, before, "FOR UPDATE", cancellationToken).ConfigureAwait(false);
                if (await PostgresDatabase.ScalarAsync(connection, "SELECT reembed FROM uniface.gallery WHERE id = $1", cancellationToken, number).ConfigureAwait(false) as string != model.ContractId)
                {
                    // What goes with its template when its person is removed.
                    await PostgresDatabase.RunAsync(connection, $"DROP TABLE IF EXISTS {Pending}", cancellationToken).ConfigureAwait(false);
                    await PostgresDatabase.RunAsync(connection, $"CREATE TABLE {Pending}(gallery bigint NOT NULL, template bigint PRIMARY KEY, embedding vector NOT NULL, FOREIGN KEY (gallery, template) REFERENCES {Templates}(gallery, id) ON DELETE CASCADE)", cancellationToken).ConfigureAwait(false);
                    await PostgresDatabase.RunAsync(connection, "UPDATE uniface.gallery SET reembed = $2 WHERE id = $1", cancellationToken, number, model.ContractId).ConfigureAwait(false);
                }

                return 0;
            },
            cancellationToken).ConfigureAwait(false);

        // Somebody may be enrolled between the last batch and the move: then there is another batch.
        while (!await TryMoveAsync(before, after, cancellationToken).ConfigureAwait(false))
        {
            await ReembedBatchAsync(model, after, progress, cancellationToken).ConfigureAwait(false);
        }

        info = after;
        await EraseAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task ReembedBatchAsync(GalleryModel model, GalleryInfo after, Action<long, long>? progress, CancellationToken stop)
    {
        List<(long Id, byte[] Crop)> batch = await database.ReadAsync(
            connection => PostgresDatabase.RowsAsync(
                connection,
                $"SELECT c.template, c.image FROM {Crops} c WHERE NOT EXISTS (SELECT 1 FROM {Pending} WHERE template = c.template) ORDER BY c.template LIMIT $1",
                r => (r.GetInt64(0), r.GetFieldValue<byte[]>(1)),
                stop,
                ReembedBatch),
            stop).ConfigureAwait(false);
        if (batch.Count == 0)
        {
            throw new UniFaceException($"{Path}: some templates have no crop, so they cannot be embedded anew; 'uniface gallery verify-integrity' says more.");
        }

        float[] embeddings = model.Embed([.. batch.Select(b => b.Crop)]); // [N, D]
        if (embeddings.Length != batch.Count * model.EmbeddingSize)
        {
            throw new UniFaceException($"the model gave {embeddings.Length} values for {batch.Count} crops, expected {model.EmbeddingSize} for each.");
        }

        for (int i = 0; i < batch.Count; i++)
        {
            after.Ensure(embeddings.AsSpan(i * model.EmbeddingSize, model.EmbeddingSize));
        }

        (long done, long all) = await database.WriteAsync(
            async connection =>
            {
                for (int i = 0; i < batch.Count; i++)
                {
                    // Not for somebody who was removed meanwhile, and once where two do the same work.
                    await PostgresDatabase.RunAsync(
                        connection,
                        $"INSERT INTO {Pending} SELECT gallery, id, $2 FROM {Templates} WHERE id = $1 FOR KEY SHARE ON CONFLICT DO NOTHING",
                        stop,
                        batch[i].Id,
                        new Vector(embeddings.AsMemory(i * model.EmbeddingSize, model.EmbeddingSize))).ConfigureAwait(false);
                }

                return (await PostgresDatabase.RowsAsync(connection, $"SELECT (SELECT count(*) FROM {Pending}), (SELECT count(*) FROM {Templates})", r => (r.GetInt64(0), r.GetInt64(1)), stop).ConfigureAwait(false))[0];
            },
            stop).ConfigureAwait(false);
        progress?.Invoke(done, all);
    }

    private Task<bool> TryMoveAsync(string before, GalleryInfo after, CancellationToken stop) => database.WriteAsync(
        async connection =>
        {
            // Nobody is enrolled or removed until this is done.
            await EnsureModelAsync(connection, before, "FOR UPDATE", stop).ConfigureAwait(false);
            await PostgresDatabase.RunAsync(connection, $"LOCK TABLE {Templates} IN SHARE ROW EXCLUSIVE MODE", stop).ConfigureAwait(false);
            if (await PostgresDatabase.ScalarAsync(connection, $"SELECT 1 FROM {Templates} t WHERE NOT EXISTS (SELECT 1 FROM {Pending} WHERE template = t.id) LIMIT 1", stop).ConfigureAwait(false) is not null)
            {
                return false;
            }

            string index = string.Create(CultureInfo.InvariantCulture, $"uniface.template_{number}_hnsw"), check = string.Create(CultureInfo.InvariantCulture, $"size_{number}");
            await PostgresDatabase.RunAsync(connection, $"DROP INDEX IF EXISTS {index}", stop).ConfigureAwait(false);
            await PostgresDatabase.RunAsync(connection, $"ALTER TABLE {Templates} DROP CONSTRAINT {check}", stop).ConfigureAwait(false);
            await PostgresDatabase.RunAsync(connection, $"UPDATE {Templates} t SET embedding = p.embedding FROM {Pending} p WHERE p.template = t.id", stop).ConfigureAwait(false);
            await PostgresDatabase.RunAsync(connection, $"DROP TABLE {Pending}", stop).ConfigureAwait(false);
            await PostgresDatabase.RunAsync(connection, SizeSql(number, after.EmbeddingSize, hnsw), stop).ConfigureAwait(false);
            await PostgresDatabase.RunAsync(
                connection,
                "UPDATE uniface.gallery SET contract = $2, embedding_size = $3, package = $4, reembed = NULL, unerased = pg_current_xact_id() WHERE id = $1",
                stop,
                number,
                after.ContractId,
                after.EmbeddingSize,
                after.Package).ConfigureAwait(false);
            return true;
        },
        stop);
}
