using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Server.Http;
using UniFace.Vision;

namespace UniFace.Server.Recognition;

/// <summary>
/// What requests ask of model and gallery: photos to faces a few at a time, so that decoded pictures never fill the memory; faces to
/// embeddings and searches in batches over all requests. Callers share each fairly. Thread-safe.
/// </summary>
internal sealed class FaceService : IAsyncDisposable
{
    private const int MostWaiting = 512;

    // In pixels times scans: detection and alignment; and a photo that takes long and never has the last decoder. Where it shows no face, it is looked
    // at in four turns: the seconds are those of its size then, not of its few bytes.
    private const double DetectionWork = 1e6, LargeWork = 16e6;

    // Enough that a search reads the gallery once for all of them; few enough that the next batch, already waiting, is never a rest of one or two.
    private static readonly int LargestBatch = Math.Max(8, 4 * Environment.ProcessorCount);

    private readonly Recognizer recognizer;
    private readonly FairGate decoders = new(Environment.ProcessorCount), large = new(Math.Max(1, Environment.ProcessorCount - 1));
    private readonly ServerMetrics metrics;
    private readonly IHttpContextAccessor requests;
    private readonly TimeSpan patience;

    // Two: a gallery that does not answer must not keep those waiting who ask nothing of it.
    private readonly MicroBatcher<RgbImage, float[], float[]> embeddings;
    private readonly MicroBatcher<Probe, float[], IReadOnlyList<GalleryCandidate>> searches;

    public FaceService(Recognizer recognizer, ServerMetrics metrics, IHttpContextAccessor requests, ServerOptions options)
    {
        this.recognizer = recognizer;
        this.metrics = metrics;
        this.requests = requests;
        patience = options.RequestTimeout;
        embeddings = new(Embed, (_, all) => Task.FromResult<IReadOnlyList<float[]>>([.. all.Chunk(recognizer.Model.Embedder.EmbeddingSize)]), LargestBatch, MostWaiting, metrics.Embedded);
        searches = new(probes => Embed([.. probes.Select(p => p.Face)]), SearchAsync, LargestBatch, MostWaiting, metrics.Embedded);
    }

    /// <summary>The faces of a photo.</summary>
    /// <param name="photo">The file's bytes.</param>
    /// <param name="name">The request's field, for an error.</param>
    /// <param name="choice">The main one, or all.</param>
    /// <param name="aligned">It is an aligned face of the model's size already.</param>
    /// <param name="stop">Stops the waiting.</param>
    /// <exception cref="UniFaceException">It is no picture, is too large, or takes more work than one photo may.</exception>
    public async Task<(RgbImage Photo, IReadOnlyList<AlignedFace> Faces)> FacesAsync(byte[]? photo, string name, FaceChoice choice, bool aligned, CancellationToken stop)
    {
        if (photo is null or [])
        {
            throw new UniFaceException($"the field {name} is missing or empty: expected a photo as {ImageFormat.ExpectedOfStrangers}");
        }

        using Activity? span = Telemetry.Source.StartActivity("detect");
        FaceRecognizer model = recognizer.Model;
        double work = DetectionWork + model.Decoder.WorkOf(photo, name);
        using IDisposable? place = work > LargeWork ? await large.EnterAsync(Caller, work, stop) : null;
        using IDisposable decoder = await decoders.EnterAsync(Caller, work, stop);
        return await Task.Run(
            () =>
            {
                RgbImage picture = model.Decoder.Decode(photo, name);
                return (picture, (aligned ? [model.AsAligned(picture, name)] : model.Photos.AlignFaces(picture, choice)));
            },
            stop);
    }

    /// <summary>The main face of a photo.</summary>
    /// <exception cref="UniFaceException">It is no picture, or is too large.</exception>
    /// <exception cref="ServerProblemException">It shows no face.</exception>
    public async Task<AlignedFace> MainFaceAsync(byte[]? photo, string name, bool aligned, CancellationToken stop) =>
        (await FacesAsync(photo, name, FaceChoice.Largest, aligned, stop)).Faces is [AlignedFace face, ..]
            ? face
            : throw new ServerProblemException(StatusCodes.Status422UnprocessableEntity, $"no face was found on the photo in the field {name}; give one on which a face is to be seen");

    /// <summary>The embedding of a face, [D], of norm 1.</summary>
    public async Task<float[]> EmbedAsync(AlignedFace face, CancellationToken stop)
    {
        using Activity? span = Telemetry.Source.StartActivity("embed");
        return await embeddings.AskAsync(face.Image, Caller, stop);
    }

    /// <summary>The people most alike a face, best first.</summary>
    public async Task<IReadOnlyList<GalleryCandidate>> SearchAsync(AlignedFace face, int candidates, CancellationToken stop)
    {
        using Activity? span = Telemetry.Source.StartActivity("embed and search");
        return await searches.AskAsync(new Probe(face.Image, candidates), Caller, stop);
    }

    public async ValueTask DisposeAsync()
    {
        await embeddings.DisposeAsync();
        await searches.DisposeAsync();
    }

    private string Caller => RequestLimits.CallerOf(requests.HttpContext!);

    private float[] Embed(IReadOnlyList<RgbImage> faces) => recognizer.Model.Embedder.Embed(faces); // [N, D]

    // Searched in the batch in which they were embedded: answers that trickled into a queue of their own would be searched one by one.
    private async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(IReadOnlyList<Probe> probes, float[] all)
    {
        using CancellationTokenSource late = new(patience); // nobody waits longer
        IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await recognizer.Gallery.SearchAsync(all, recognizer.Model.ContractId, probes.Max(p => p.Candidates), late.Token);
        metrics.Searched(probes.Count);
        return [.. probes.Zip(found, (probe, people) => (IReadOnlyList<GalleryCandidate>)[.. people.Take(probe.Candidates)])];
    }

    private sealed record Probe(RgbImage Face, int Candidates);
}
