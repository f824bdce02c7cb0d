namespace UniFace.Gallery.Stores;

/// <summary>A stored face to embed again.</summary>
internal sealed record StoredCrop(long Template, long Person, byte[] Image);

/// <summary>
/// Moves a gallery to another model. The crops are embedded in batches; the new embeddings are stored beside the old ones, and replace them
/// all at once at the end. Until then the gallery works as before; after a stop or a kill, the same call continues.
/// </summary>
internal abstract class Reembedding
{
    private const int BatchSize = 64;

    private readonly string path;

    protected Reembedding(GalleryInfo info, GalleryModel model, string path)
    {
        ArgumentNullException.ThrowIfNull(model);
        (Model, this.path) = (model, path);
        if (!info.KeepsCrops)
        {
            throw new UniFaceException(
                $"{path}: the gallery keeps no crops, so its people cannot be embedded again; create one that keeps crops and enroll them again.");
        }

        if (model.ContractId == info.ContractId)
        {
            throw new UniFaceException($"{path}: the gallery is of this model already.");
        }

        After = info with { ContractId = model.ContractId, EmbeddingSize = model.EmbeddingSize, Package = model.Package };
    }

    /// <summary>The model to move to.</summary>
    protected GalleryModel Model { get; }

    /// <summary>What the gallery is after the move.</summary>
    protected GalleryInfo After { get; }

    /// <summary>Embeds all crops and moves the gallery.</summary>
    /// <returns>What the gallery is now.</returns>
    public Task<GalleryInfo> RunAsync(Action<long, long>? progress, CancellationToken stop) => Task.Run(() => EmbedAllAsync(progress, stop), stop);

    private async Task<GalleryInfo> EmbedAllAsync(Action<long, long>? progress, CancellationToken stop)
    {
        await BeginAsync(stop);

        // If people are enrolled between the last batch and the move, there is another batch.
        while (!await TryMoveAsync(stop))
        {
            List<StoredCrop> crops = await ReadBatchAsync(BatchSize, stop);
            if (crops.Count == 0)
            {
                throw new UniFaceException(
                    $"{path}: some templates have no crop, so they cannot be embedded again; 'uniface gallery verify-integrity' lists the problems.");
            }

            (long done, long all) = await StoreBatchAsync(Embed(crops), stop);
            progress?.Invoke(done, all);
        }

        return After;
    }

    /// <summary>Prepares the store for the move, unless a stopped move to the same model did.</summary>
    protected abstract Task BeginAsync(CancellationToken stop);

    /// <summary>Crops without a new embedding.</summary>
    protected abstract Task<List<StoredCrop>> ReadBatchAsync(int size, CancellationToken stop);

    /// <summary>Stores new embeddings, except those of people who were removed.</summary>
    /// <returns>How many templates are done, and how many there are.</returns>
    protected abstract Task<(long Done, long All)> StoreBatchAsync(
        IReadOnlyList<(StoredCrop Crop, ReadOnlyMemory<float> Embedding)> batch, CancellationToken stop);

    /// <summary>Replaces all embeddings if every template has a new one.</summary>
    protected abstract Task<bool> TryMoveAsync(CancellationToken stop);

    private List<(StoredCrop, ReadOnlyMemory<float>)> Embed(List<StoredCrop> crops)
    {
        int size = Model.EmbeddingSize;
        ReadOnlyMemory<float> embeddings = Model.Embed(crops.ConvertAll(c => c.Image)); // [crops, D]
        if (embeddings.Length != crops.Count * size)
        {
            throw new UniFaceException($"the model gave {embeddings.Length} values for {crops.Count} crops, expected {size} for each.");
        }

        List<(StoredCrop Crop, ReadOnlyMemory<float> Embedding)> batch = [.. crops.Select((crop, i) => (crop, embeddings.Slice(i * size, size)))];
        batch.ForEach(b => After.Ensure(b.Embedding.Span));
        return batch;
    }
}
