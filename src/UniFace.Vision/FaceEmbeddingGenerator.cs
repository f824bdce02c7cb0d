using Microsoft.Extensions.AI;

namespace UniFace.Vision;

/// <summary>
/// A recognizer as an <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/> of Microsoft.Extensions.AI, for code that takes any generator
/// (caching, logging, vector stores). A photo is its encoded bytes; the embedding is that of its main face, a unit vector.
/// Thread-safe; owns the recognizer.
/// </summary>
/// <param name="recognizer">The model; disposed with this.</param>
public sealed class FaceEmbeddingGenerator(FaceRecognizer recognizer) : IEmbeddingGenerator<DataContent, Embedding<float>>
{
    private readonly OnnxEmbedder embedder = recognizer.Embedder;
    private readonly EmbeddingGeneratorMetadata metadata = new("uniface", null, recognizer.ContractId, recognizer.Embedder.EmbeddingSize);

    /// <summary>Embeds the main face of each photo, in order. The model id is the contract: only embeddings with the same id are comparable.</summary>
    /// <param name="values">The photos.</param>
    /// <param name="options">Only <see cref="EmbeddingGenerationOptions.Dimensions"/> is checked.</param>
    /// <param name="cancellationToken">Stops between photos.</param>
    /// <exception cref="UniFaceException">A photo cannot be decoded or shows no face; the message names it.</exception>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<DataContent> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        return options?.Dimensions is int size && size != embedder.EmbeddingSize
            ? throw new UniFaceException($"embeddings of {size} values were requested; this model gives {embedder.EmbeddingSize}.")
            : Task.Run(() => Generate([.. values], cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceKey is null ? Array.Find<object>([metadata, this, recognizer, embedder], serviceType.IsInstanceOfType) : null;

    /// <summary>Disposes the recognizer.</summary>
    public void Dispose() => recognizer.Dispose();

    private GeneratedEmbeddings<Embedding<float>> Generate(DataContent[] photos, CancellationToken cancellationToken)
    {
        AlignedFace?[] faces = recognizer.Photos.AlignMany(photos.Length, i => (photos[i].Data, GetName(photos[i], i)), cancellationToken: cancellationToken);
        int faceless = Array.IndexOf(faces, null);
        if (faceless >= 0)
        {
            throw new UniFaceException($"{GetName(photos[faceless], faceless)}: no face found ({recognizer.Photos.DetectorName}).");
        }

        int size = embedder.EmbeddingSize;
        float[] embeddings = embedder.Embed([.. faces.Select(face => face!.Image)]); // [N, D]
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return new(photos.Select((_, i) => new Embedding<float>(embeddings.AsMemory(i * size, size)) { ModelId = metadata.DefaultModelId, CreatedAt = now }));
    }

    private static string GetName(DataContent photo, int index) => photo.Name is { Length: > 0 } name ? name : Invariant($"photo {index}");
}
