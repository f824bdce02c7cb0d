using Microsoft.AspNetCore.Http;
using UniFace.Faces;
using UniFace.Gallery;

namespace UniFace.Server.Recognition;

/// <summary>
/// What requests ask of model and gallery: photos to faces a few at a time, so that decoded pictures never fill the memory; faces to
/// embeddings and searches in batches over all requests. Thread-safe.
/// </summary>
internal sealed class FaceService : IAsyncDisposable
{
    private const int LargestBatch = 32, MostWaiting = 512;

    private readonly Recognizer recognizer;
    private readonly SemaphoreSlim decoders = new(Environment.ProcessorCount);
    private readonly MicroBatcher<RgbImage, float[]> embedding;
    private readonly MicroBatcher<Probe, IReadOnlyList<GalleryCandidate>> searching;

    public FaceService(Recognizer recognizer, ServerMetrics metrics)
    {
        this.recognizer = recognizer;
        embedding = new(faces => Task.FromResult(Embed(faces)), LargestBatch, MostWaiting, metrics.Embedded);
        searching = new(SearchAsync, LargestBatch, MostWaiting, metrics.Searched);
    }

    /// <summary>The faces of a photo.</summary>
    /// <param name="photo">The file's bytes.</param>
    /// <param name="name">The request's field, for an error.</param>
    /// <param name="choice">The main one, or all.</param>
    /// <param name="aligned">It is an aligned face of the model's size already.</param>
    /// <param name="stop">Stops the waiting.</param>
    /// <exception cref="UniFaceException">It is no picture, or is too large.</exception>
    public async Task<(RgbImage Photo, IReadOnlyList<AlignedFace> Faces)> FacesAsync(byte[]? photo, string name, FaceChoice choice, bool aligned, CancellationToken stop)
    {
        if (photo is null or [])
        {
            throw new UniFaceException($"the field {name} is missing or empty: expected a photo as JPEG, PNG, WebP or BMP");
        }

        ServedModel model = recognizer.Model;
        await decoders.WaitAsync(stop);
        try
        {
            return await Task.Run(
                () =>
                {
                    RgbImage picture = model.Decoder.Decode(photo, name);
                    return (picture, (aligned ? [model.AsAligned(picture, name)] : model.Photos.AlignFaces(picture, choice)));
                },
                stop);
        }
        finally
        {
            decoders.Release();
        }
    }

    /// <summary>The main face of a photo.</summary>
    /// <exception cref="UniFaceException">It is no picture, or is too large.</exception>
    /// <exception cref="ServerProblemException">It shows no face.</exception>
    public async Task<AlignedFace> MainFaceAsync(byte[]? photo, string name, bool aligned, CancellationToken stop) =>
        (await FacesAsync(photo, name, FaceChoice.Largest, aligned, stop)).Faces is [AlignedFace face, ..]
            ? face
            : throw new ServerProblemException(StatusCodes.Status422UnprocessableEntity, $"no face was found on the photo in the field {name}; give one on which a face is to be seen");

    /// <summary>The embedding of a face, [D], of norm 1.</summary>
    public Task<float[]> EmbedAsync(AlignedFace face, CancellationToken stop) => embedding.AskAsync(face.Image, stop);

    /// <summary>The most alike people, best first.</summary>
    public Task<IReadOnlyList<GalleryCandidate>> SearchAsync(float[] probe, int candidates, CancellationToken stop) => searching.AskAsync(new Probe(probe, candidates), stop);

    public async ValueTask DisposeAsync()
    {
        await embedding.DisposeAsync();
        await searching.DisposeAsync();
        decoders.Dispose();
    }

    private IReadOnlyList<float[]> Embed(IReadOnlyList<RgbImage> faces)
    {
        float[] all = recognizer.Model.Embedder.Embed(faces); // [N, D]
        return [.. all.Chunk(recognizer.Model.Embedder.EmbeddingSize)];
    }

    private async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(IReadOnlyList<Probe> probes)
    {
        float[] all = [.. probes.SelectMany(p => p.Embedding)]; // [N, D]
        IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await recognizer.Gallery.SearchAsync(all, recognizer.Model.ContractId, probes.Max(p => p.Candidates));
        return [.. found.Zip(probes, (people, probe) => people.Count > probe.Candidates ? [.. people.Take(probe.Candidates)] : people)];
    }

    private sealed record Probe(float[] Embedding, int Candidates);
}
