namespace UniFace.Embeddings;

/// <summary>Embeddings of many images, some of which may show no face.</summary>
/// <param name="Values">[N, D], row after row; zeros if no face was found.</param>
/// <param name="Dimension">D.</param>
/// <param name="Found">[N], whether a face was found.</param>
public sealed record EmbeddedFaces(float[] Values, int Dimension, bool[] Found)
{
    /// <summary>Embeddings of faces that were all found.</summary>
    /// <param name="values">[N, D], row after row.</param>
    /// <param name="dimension">D.</param>
    public EmbeddedFaces(float[] values, int dimension)
        : this(values, dimension, [.. Enumerable.Repeat(true, values.Length / dimension)])
    {
    }

    /// <summary>Number of images.</summary>
    public int Count => Found.Length;

    /// <summary>The embedding of an image, [D].</summary>
    public ReadOnlySpan<float> Row(int image) => Values.AsSpan(image * Dimension, Dimension);

    /// <summary>Cosine of two images' embeddings; both must be found.</summary>
    public double Cosine(int first, int second) => CosineSimilarity.Dot(Row(first), Row(second));

    /// <summary>The images with a face, with their labels.</summary>
    /// <param name="labels">[N], the person of each image.</param>
    public (EmbeddedFaces Faces, int[] Labels) WithoutMissing(IReadOnlyList<int> labels) => Select(labels, _ => true);

    /// <summary>The images with a face that are of certain people, with their labels.</summary>
    /// <param name="labels">[N], the person of each image.</param>
    /// <param name="isWanted">Whether a person is selected.</param>
    internal (EmbeddedFaces Faces, int[] Labels) Select(IReadOnlyList<int> labels, Func<int, bool> isWanted)
    {
        int[] selected = [.. Enumerable.Range(0, Count).Where(i => Found[i] && isWanted(labels[i]))];
        float[] values = new float[selected.Length * Dimension];
        for (int row = 0; row < selected.Length; row++)
        {
            Row(selected[row]).CopyTo(values.AsSpan(row * Dimension));
        }

        return (new EmbeddedFaces(values, Dimension), [.. selected.Select(i => labels[i])]);
    }
}

/// <summary>Embeds many images. The next batch is decoded and aligned in parallel while the model runs on the current one.</summary>
public static class BatchEmbedding
{
    /// <summary>Embeds images.</summary>
    /// <param name="embedder">The model.</param>
    /// <param name="count">Number of images.</param>
    /// <param name="load">The aligned face of an image, or null if it shows none; called from several threads at once.</param>
    /// <param name="batchSize">Images per batch.</param>
    /// <param name="progress">Called with the number of images done since the last call.</param>
    /// <param name="cancellation">Stops it between batches.</param>
    public static EmbeddedFaces Embed(
        IEmbedder embedder,
        int count,
        Func<int, RgbImage?> load,
        int batchSize = 64,
        Action<int>? progress = null,
        CancellationToken cancellation = default)
    {
        int dimension = embedder.EmbeddingSize;
        float[] values = new float[checked(count * dimension)];
        bool[] found = new bool[count];
        foreach ((int image, ReadOnlyMemory<float> embedding) in Enumerate(embedder, count, load, batchSize, progress, cancellation))
        {
            embedding.CopyTo(values.AsMemory(image * dimension));
            found[image] = true;
        }

        return new EmbeddedFaces(values, dimension, found);
    }

    /// <summary>The embedding of each image that shows a face, in order.</summary>
    /// <inheritdoc cref="Embed"/>
    internal static IEnumerable<(int Image, ReadOnlyMemory<float> Embedding)> Enumerate(
        IEmbedder embedder, int count, Func<int, RgbImage?> load, int batchSize, Action<int>? progress, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        int dimension = embedder.EmbeddingSize, start = 0;
        foreach (RgbImage?[] batch in ReadAhead.Enumerate((count + batchSize - 1) / batchSize, LoadBatch))
        {
            cancellation.ThrowIfCancellationRequested();
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

        RgbImage?[] LoadBatch(int piece, CancellationToken left)
        {
            int first = piece * batchSize;
            RgbImage?[] batch = new RgbImage?[Math.Min(count - first, batchSize)];
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, left);
            ParallelLoop.Run(batch.Length, i => batch[i] = load(first + i), cancellation: either.Token);
            return batch;
        }
    }
}
