using Microsoft.Data.Sqlite;

namespace UniFace.Gallery.Sqlite;

/// <summary>A model that a gallery is to move to.</summary>
/// <param name="ContractId">Its contract id.</param>
/// <param name="EmbeddingSize">Values in its embeddings.</param>
/// <param name="Package">Path of its package; null for none.</param>
/// <param name="Embed">From crops, PNG or JPEG files, to L2-normalised embeddings, [crops, D].</param>
public sealed record GalleryModel(string ContractId, int EmbeddingSize, string? Package, Func<IReadOnlyList<byte[]>, float[]> Embed);

/// <summary>Moving a gallery to another model from the crops it keeps.</summary>
public sealed partial class SqliteGallery
{
    private const int ReembedBatch = 64;

    /// <summary>
    /// Computes all embeddings anew with another model, from the stored crops, and then, at once, makes the gallery that model's. Until
    /// then the gallery works as before. What is done is kept: after a stop or a kill, the same call goes on. The index
    /// is stored anew.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="progress">Called after each batch with how many templates are done and how many there are.</param>
    /// <param name="cancellationToken">Stops it between batches.</param>
    /// <exception cref="UniFaceException">The gallery keeps no crops, or the model gives embeddings that are none.</exception>
    public async Task ReembedAsync(GalleryModel model, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        GalleryInfo after = info.MovedTo(model, Path);
        await database.WriteAsync(
            connection =>
            {
                EnsureModel(connection);
                if (GalleryDatabase.Meta(connection, "reembed") as string != model.ContractId)
                {
                    GalleryDatabase.Run(connection, "DELETE FROM pending");
                    GalleryDatabase.SetMeta(connection, "reembed", model.ContractId);
                }

                return 0;
            },
            cancellationToken).ConfigureAwait(false);

        // Somebody may be enrolled between the last batch and the move: then there is another batch.
        while (!await TryMoveAsync(after, cancellationToken).ConfigureAwait(false))
        {
            await ReembedBatchAsync(model, after, progress, cancellationToken).ConfigureAwait(false);
        }

        info = after;
        GalleryProjection old = projection;
        projection = new GalleryProjection(database, records, info);
        await old.DisposeAsync().ConfigureAwait(false);
        await database.TruncateLogAsync(Patience, cancellationToken).ConfigureAwait(false);
        await projection.RebuildAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task ReembedBatchAsync(GalleryModel model, GalleryInfo after, Action<long, long>? progress, CancellationToken stop)
    {
        List<(long Id, long Person, byte[] Crop)> batch = await database.ReadAsync(
            connection =>
            {
                using SqliteCommand command = GalleryDatabase.Prepare(connection, "SELECT t.id, t.person, c.image FROM template t JOIN crop c ON c.template = t.id WHERE t.id > (SELECT coalesce(max(template), 0) FROM pending) ORDER BY t.id LIMIT $batch", ("$batch", ReembedBatch));
                using SqliteDataReader reader = command.ExecuteReader();
                List<(long, long, byte[])> found = [];
                while (reader.Read())
                {
                    found.Add((reader.GetInt64(0), reader.GetInt64(1), records.OpenCrop(reader.GetInt64(0), reader.GetInt64(1), (byte[])reader[2])));
                }

                return found;
            },
            stop).ConfigureAwait(false);
        if (batch.Count == 0)
        {
            throw new UniFaceException($"{Path}: some templates have no crop, so they cannot be embedded anew; 'uniface gallery verify-integrity' says more.");
        }

        float[] embeddings = model.Embed([.. batch.Select(b => b.Crop)]);
        if (embeddings.Length != batch.Count * model.EmbeddingSize)
        {
            throw new UniFaceException($"the model gave {embeddings.Length} values for {batch.Count} crops, expected {model.EmbeddingSize} for each.");
        }

        for (int i = 0; i < batch.Count; i++)
        {
            after.Ensure(embeddings.AsSpan(i * model.EmbeddingSize, model.EmbeddingSize));
        }

        (long done, long all) = await database.WriteAsync(
            connection =>
            {
                for (int i = 0; i < batch.Count; i++)
                {
                    (long id, long person, _) = batch[i];

                    // Not for somebody who was removed meanwhile.
                    GalleryDatabase.Run(
                        connection,
                        "INSERT OR REPLACE INTO pending SELECT id, $embedding FROM template WHERE id = $id",
                        ("$id", id),
                        ("$embedding", records.Seal(id, person, embeddings.AsSpan(i * model.EmbeddingSize, model.EmbeddingSize))));
                }

                return ((long)GalleryDatabase.Scalar(connection, "SELECT count(*) FROM pending")!, (long)GalleryDatabase.Scalar(connection, "SELECT count(person) FROM template")!);
            },
            stop).ConfigureAwait(false);
        progress?.Invoke(done, all);
    }

    private Task<bool> TryMoveAsync(GalleryInfo after, CancellationToken stop) => database.WriteAsync(
        connection =>
        {
            if (GalleryDatabase.Scalar(connection, "SELECT 1 FROM template t WHERE NOT EXISTS (SELECT 1 FROM pending WHERE template = t.id) LIMIT 1") is not null)
            {
                return false;
            }

            using (SqliteCommand update = GalleryDatabase.Prepare(connection, "UPDATE template SET embedding = $embedding, checksum = $checksum WHERE id = $id", ("$id", 0L), ("$checksum", 0L), ("$embedding", null)))
            {
                long last = 0;
                while (true)
                {
                    using SqliteCommand next = GalleryDatabase.Prepare(connection, "SELECT template, embedding FROM pending WHERE template > $last ORDER BY template LIMIT 1", ("$last", last));
                    using SqliteDataReader reader = next.ExecuteReader();
                    if (!reader.Read())
                    {
                        break;
                    }

                    stop.ThrowIfCancellationRequested();
                    last = reader.GetInt64(0);
                    byte[] stored = (byte[])reader[1];
                    update.Parameters[0].Value = last;
                    update.Parameters[1].Value = GalleryRecords.Checksum(last, stored);
                    update.Parameters[2].Value = stored;
                    update.ExecuteNonQuery();
                }
            }

            GalleryDatabase.Run(connection, "DELETE FROM pending; DELETE FROM meta WHERE key = 'reembed';");
            SetModel(connection, after.ContractId, after.EmbeddingSize, after.Package);
            return true;
        },
        stop);
}
