namespace UniFace.Training.Backbones;

/// <summary>
/// Embeds aligned faces with a backbone in evaluation mode, without gradients: the embeddings of a run's weights before export.
/// Thread-safe; calls are serialized.
/// </summary>
/// <param name="backbone">The backbone. Each call puts it into evaluation mode and back into its former mode.</param>
/// <param name="flipSum">True: an embedding is f(x) + f(mirrored x), as the papers evaluate.</param>
/// <param name="batchSize">Faces per forward pass.</param>
/// <param name="ownsBackbone">True: the backbone is disposed with the embedder.</param>
internal sealed class BackboneEmbedder(Backbone backbone, bool flipSum = true, int batchSize = 64, bool ownsBackbone = true) : IEmbedder
{
    private readonly Device device = backbone.parameters().First().device;
    private readonly Lock gate = new();

    /// <inheritdoc/>
    public int EmbeddingSize => backbone.Spec.EmbeddingSize;

    /// <inheritdoc/>
    public (int Width, int Height) InputSize => backbone.Input.Size;

    /// <inheritdoc/>
    public float[] Embed(IReadOnlyList<RgbImage> faces) => Embed(faces, raw => nn.functional.normalize(raw, p: 2, dim: 1, eps: 1e-12));

    /// <summary>The embeddings before they are normalized, [N, D] in rows.</summary>
    internal float[] EmbedRaw(IReadOnlyList<RgbImage> faces) => Embed(faces, raw => raw);

    /// <summary>Disposes the backbone, if owned.</summary>
    public void Dispose()
    {
        if (ownsBackbone)
        {
            backbone.Dispose();
        }
    }

    private float[] Embed(IReadOnlyList<RgbImage> faces, Func<Tensor, Tensor> finish)
    {
        ArgumentNullException.ThrowIfNull(faces);
        float[] result = new float[faces.Count * EmbeddingSize];
        lock (gate)
        {
            bool training = backbone.training;
            backbone.eval();
            try
            {
                for (int first = 0; first < faces.Count; first += batchSize)
                {
                    int count = Math.Min(batchSize, faces.Count - first);
                    EmbedBatch(faces, first, count, finish).CopyTo(result.AsSpan(first * EmbeddingSize));
                }
            }
            finally
            {
                backbone.train(training);
            }
        }

        return result;
    }

    private float[] EmbedBatch(IReadOnlyList<RgbImage> faces, int first, int count, Func<Tensor, Tensor> finish)
    {
        using NoGradScope scope = new();
        RgbImage[] batch = [.. faces.Skip(first).Take(count)];
        if (Array.FindIndex(batch, face => (face.Width, face.Height) != InputSize) is int wrong and >= 0)
        {
            throw new UniFaceException(
                $"Face {first + wrong} is {batch[wrong].Width}x{batch[wrong].Height}, expected an aligned face of {InputSize.Width}x{InputSize.Height}.");
        }

        Tensor images = backbone.Input.ToBatch(batch).to(device); // [B, 3, H, W], channels last
        Tensor embeddings = backbone.forward(images); // [B, D]
        if (flipSum)
        {
            embeddings = embeddings + backbone.forward(images.flip(3));
        }

        embeddings = finish(embeddings.to(ScalarType.Float32)).cpu().contiguous();
        if (!embeddings.isfinite().all().item<bool>())
        {
            throw new UniFaceException($"The backbone {backbone.Spec} gave an embedding that is not finite; its weights are damaged.");
        }

        return embeddings.data<float>().ToArray();
    }
}
