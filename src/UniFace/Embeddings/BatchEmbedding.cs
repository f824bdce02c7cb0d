namespace UniFace.Embeddings;

/// <summary>Embeds many images. The next batch is decoded and aligned in parallel while the model runs on the current one.</summary>
internal static class BatchEmbedding
{
    /// <summary>Embeds all images into one array.</summary>
    /// <param name="embedder">The model.</param>
    /// <param name="count">Number of images.</param>
    /// <param name="load">The aligned face of an image, or null if it shows none; called from several threads at once.</param>
    /// <param name="batchSize">Images per batch.</param>
    /// <param name="progress">Called with the number of images done since the last call.</param>
    /// <param name="cancellationToken">Cancels between batches.</param>
    /// <exception cref="UniFaceException">The embeddings exceed the longest array (4 million images of 512 values).</exception>
    public static EmbeddedFaces Embed(
        IEmbedder embedder,
        int count,
        Func<int, RgbImage?> load,
        int batchSize = 64,
        Action<int>? progress = null,
        CancellationToken cancellationToken = default)
    {
        int dimension = embedder.EmbeddingSize;
        if (count > Array.MaxLength / dimension)
        {
            throw new UniFaceException(
                $"{count} images exceed the {Array.MaxLength / dimension} whose embeddings of {dimension} values fit into memory at once; use a part of them");
        }

        float[] values = new float[count * dimension];
        bool[] found = new bool[count];
        foreach ((int image, ReadOnlyMemory<float> embedding) in Enumerate(embedder, count, load, batchSize, progress, cancellationToken))
        {
            embedding.CopyTo(values.AsMemory(image * dimension));
            found[image] = true;
        }

        return new EmbeddedFaces(values, dimension, found);
    }

    /// <summary>The embedding of each image that shows a face, in order.</summary>
    /// <inheritdoc cref="Embed"/>
    internal static IEnumerable<(int Image, ReadOnlyMemory<float> Embedding)> Enumerate(
        IEmbedder embedder, int count, Func<int, RgbImage?> load, int batchSize, Action<int>? progress, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        int dimension = embedder.EmbeddingSize, start = 0;
        foreach (RgbImage?[] batch in ReadAhead.Enumerate((count + batchSize - 1) / batchSize, LoadBatch))
        {
            cancellationToken.ThrowIfCancellationRequested();
            RgbImage[] faces = [.. batch.OfType<RgbImage>()];
            float[] embedded = faces.Length == 0 ? [] : embedder.Embed(faces); // [faces, D]
            int row = 0;
            for (int i = 0; i < batch.Length; i++)
            {
                if (batch[i] is not null)
                {
                    yield return (start + i, embedded.AsMemory(row++ * dimension, dimension));
                }
            }

            start += batch.Length;
            progress?.Invoke(batch.Length);
        }

        RgbImage?[] LoadBatch(int piece, CancellationToken stop)
        {
            int first = piece * batchSize;
            RgbImage?[] batch = new RgbImage?[Math.Min(count - first, batchSize)];
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stop);
            ParallelLoop.Run(batch.Length, i => batch[i] = load(first + i), cancellationToken: either.Token);
            return batch;
        }
    }
}
