using Microsoft.Extensions.AI;
using UniFace.Faces;
using UniFace.Vision.Onnx;

namespace UniFace.Vision;

/// <summary>
/// Photos to embeddings as an <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/> of Microsoft.Extensions.AI, so that .NET code which
/// takes any generator (caching, logging, vector stores) takes faces too. A photo is its encoded bytes (JPEG, PNG, WebP, HEIC, AVIF, BMP, GIF); its
/// main face is embedded, as unit vector. Thread-safe; owns its model and pipeline.
/// </summary>
public sealed class FaceEmbeddingGenerator : IEmbeddingGenerator<DataContent, Embedding<float>>
{
    private readonly OnnxEmbedder embedder;
    private readonly FacePipeline pipeline;
    private readonly EmbeddingGeneratorMetadata metadata;

    /// <summary>A generator.</summary>
    /// <param name="embedder">The model; disposed with this.</param>
    /// <param name="pipeline">From photos to faces of the model's size; disposed with this.</param>
    public FaceEmbeddingGenerator(OnnxEmbedder embedder, FacePipeline pipeline)
    {
        ArgumentNullException.ThrowIfNull(embedder);
        ArgumentNullException.ThrowIfNull(pipeline);
        this.embedder = embedder;
        this.pipeline = pipeline;
        metadata = new EmbeddingGeneratorMetadata("uniface", null, embedder.Manifest.ContractId, embedder.EmbeddingSize);
    }

    /// <summary>Embeds the main face of each photo, in their order. The model's id is the contract's: only embeddings of one id may be compared.</summary>
    /// <param name="values">Photos.</param>
    /// <param name="options">None of them applies, but that another dimension than the model's is refused.</param>
    /// <param name="cancellationToken">Stops between photos.</param>
    /// <exception cref="UniFaceException">A photo cannot be decoded or shows no face; says which.</exception>
    public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<DataContent> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (options?.Dimensions is int asked && asked != embedder.EmbeddingSize)
        {
            throw new UniFaceException($"embeddings of {asked} values were asked for; this model gives {embedder.EmbeddingSize}.");
        }

        return Task.Run(() => Generate([.. values], cancellationToken), cancellationToken);
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? metadata
            : serviceType.IsInstanceOfType(this) ? this
            : serviceType.IsInstanceOfType(embedder) ? embedder
            : null;
    }

    /// <summary>Disposes the model and the pipeline.</summary>
    public void Dispose()
    {
        embedder.Dispose();
        pipeline.Dispose();
    }

    private GeneratedEmbeddings<Embedding<float>> Generate(DataContent[] photos, CancellationToken cancellation)
    {
        AlignedFace?[] faces = pipeline.AlignMany(photos.Length, i => (photos[i].Data, NameOf(photos[i], i)), cancellationToken: cancellation);
        int faceless = Array.FindIndex(faces, face => face is null);
        if (faceless >= 0)
        {
            throw new UniFaceException($"{NameOf(photos[faceless], faceless)}: no face found ({pipeline.DetectorName}).");
        }

        float[] embeddings = embedder.Embed([.. faces.Select(face => face!.Image)]); // [N, D]
        DateTimeOffset now = DateTimeOffset.UtcNow;
        return new GeneratedEmbeddings<Embedding<float>>(photos.Select((_, i) => new Embedding<float>(embeddings.AsMemory(i * embedder.EmbeddingSize, embedder.EmbeddingSize))
        {
            ModelId = metadata.DefaultModelId,
            CreatedAt = now,
        }));
    }

    private static string NameOf(DataContent photo, int index) => photo.Name is { Length: > 0 } name ? name : FormattableString.Invariant($"photo {index}");
}
