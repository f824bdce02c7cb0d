namespace UniFace.Gallery.Stores;

/// <summary>
/// Moves a gallery to another model. The crops are embedded in batches; the new embeddings are stored beside the old ones, and replace them
/// all at once at the end. Until then the gallery works as before; after a stop or a kill, the same call continues.
/// </summary>
internal sealed class Reembedding
{
    private const int BatchSize = 64;

    private readonly SqlStore store;
    private readonly GalleryModel model;
    private readonly GalleryInfo before;
    private readonly GalleryInfo after;

    public Reembedding(SqlStore store, GalleryModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        (this.store, this.model, before) = (store, model, store.Info);
        if (!before.KeepsCrops)
        {
            throw new UniFaceException(
                $"{store.Path}: the gallery keeps no crops, so its people cannot be embedded again; create one that keeps crops and enroll them again.");
        }

        if (model.ContractId == before.ContractId)
        {
            throw new UniFaceException($"{store.Path}: the gallery is of this model already.");
        }

        after = before with { ContractId = model.ContractId, EmbeddingSize = model.EmbeddingSize, Package = model.Package };
    }

    /// <summary>Embeds all crops and moves the gallery.</summary>
    /// <returns>What the gallery is now.</returns>
    public Task<GalleryInfo> RunAsync(Action<long, long>? progress, CancellationToken stop) => Task.Run(() => EmbedAllAsync(progress, stop), stop);

    private async Task<GalleryInfo> EmbedAllAsync(Action<long, long>? progress, CancellationToken stop)
    {
        await store.Database.WriteAsync(
            async session =>
            {
                await store.EnsureModelAsync(session, before.ContractId, GalleryLock.All);
                await store.BeginMoveAsync(session, model);
            },
            stop);
        long last = 0;
        while (true)
        {
            List<StoredCrop> crops = await ReadBatchAsync(last, stop);
            if (crops.Count > 0)
            {
                (long done, long all) = await StoreBatchAsync(Embed(crops), stop);
                progress?.Invoke(done, all);
                last = crops[^1].Template;
            }
            else if (await TryMoveAsync(stop))
            {
                return after;
            }
            else if (last == 0)
            {
                throw new UniFaceException(
                    $"{store.Path}: some templates have no crop, so they cannot be embedded again; 'uniface gallery verify-integrity' lists the problems.");
            }
            else
            {
                // Another process has enrolled templates meanwhile, possibly with smaller ids.
                last = 0;
            }
        }
    }

    // Crops without a new embedding.
    private Task<List<StoredCrop>> ReadBatchAsync(long last, CancellationToken stop) => store.Database.ReadAsync(
        session => session.QueryAsync(
            $"SELECT t.id, t.person, c.image AS crop FROM {store.Crops} c JOIN {store.Templates} t ON t.id = c.template " +
            $"WHERE c.template > $1 AND NOT EXISTS (SELECT 1 FROM {store.Pending} WHERE template = c.template) ORDER BY c.template LIMIT $2",
            r => new StoredCrop((long)r["id"], (long)r["person"], store.ReadBytes(r, "crop")!),
            last,
            BatchSize),
        stop);

    // Returns how many templates are done, and how many there are.
    private Task<(long Done, long All)> StoreBatchAsync(List<(StoredCrop Crop, ReadOnlyMemory<float> Embedding)> batch, CancellationToken stop) =>
        store.Database.WriteAsync(
            async session =>
            {
                await session.RunEachAsync(store.InsertPendingSql, batch.ToAsyncEnumerable().Select(object?[] (b) =>
                    [b.Crop.Template, store.SealEmbedding(b.Crop.Template, b.Crop.Person, b.Embedding)]));
                return (await session.QueryAsync(
                    $"SELECT (SELECT count(*) FROM {store.Pending}), (SELECT count(*) FROM {store.Templates})",
                    r => (r.GetInt64(0), r.GetInt64(1))))[0];
            },
            stop);

    // Replaces all embeddings if every template has a new one.
    private Task<bool> TryMoveAsync(CancellationToken stop) => store.Database.WriteAsync(
        async session =>
        {
            await store.EnsureModelAsync(session, before.ContractId, GalleryLock.All);
            string missing = $"SELECT 1 FROM {store.Templates} t WHERE NOT EXISTS (SELECT 1 FROM {store.Pending} WHERE template = t.id) LIMIT 1";
            if (await session.ScalarAsync(missing) is not null)
            {
                return false;
            }

            await store.MoveAsync(session, after);
            return true;
        },
        stop);

    private List<(StoredCrop, ReadOnlyMemory<float>)> Embed(List<StoredCrop> crops)
    {
        int size = model.EmbeddingSize;
        ReadOnlyMemory<float> embeddings = model.Embed(crops.ConvertAll(c => c.Image)); // [crops, D]
        if (embeddings.Length != crops.Count * size)
        {
            throw new UniFaceException($"the model gave {embeddings.Length} values for {crops.Count} crops, expected {size} for each.");
        }

        List<(StoredCrop Crop, ReadOnlyMemory<float> Embedding)> batch = [.. crops.Select((crop, i) => (crop, embeddings.Slice(i * size, size)))];
        batch.ForEach(b => after.Ensure(b.Embedding.Span));
        return batch;
    }

    private sealed record StoredCrop(long Template, long Person, byte[] Image);
}
