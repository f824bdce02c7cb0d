using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using UniFace.Faces;
using UniFace.Gallery;
using UniFace.Server.Http;

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
    private readonly ServerMetrics metrics;
    private readonly MicroBatcher<Question, Answer> batches;

    public FaceService(Recognizer recognizer, ServerMetrics metrics)
    {
        this.recognizer = recognizer;
        this.metrics = metrics;
        batches = new(AnswerAsync, LargestBatch, MostWaiting, metrics.Embedded);
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

        using Activity? span = Telemetry.Source.StartActivity("detect");
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
    public async Task<float[]> EmbedAsync(AlignedFace face, CancellationToken stop)
    {
        using Activity? span = Telemetry.Source.StartActivity("embed");
        return (await batches.AskAsync(new Question(face.Image, 0), stop)).Embedding;
    }

    /// <summary>The people most alike a face, best first.</summary>
    public async Task<IReadOnlyList<GalleryCandidate>> SearchAsync(AlignedFace face, int candidates, CancellationToken stop)
    {
        using Activity? span = Telemetry.Source.StartActivity("embed and search");
        return (await batches.AskAsync(new Question(face.Image, candidates), stop)).People;
    }

    public async ValueTask DisposeAsync()
    {
        await batches.DisposeAsync();
        decoders.Dispose();
    }

    // Searched in the batch in which they were embedded: answers that trickled into a queue of their own would be searched one by one.
    private async Task<IReadOnlyList<Answer>> AnswerAsync(IReadOnlyList<Question> questions)
    {
        int size = recognizer.Model.Embedder.EmbeddingSize;
        float[] all = recognizer.Model.Embedder.Embed([.. questions.Select(q => q.Face)]); // [N, D]
        Answer[] answers = [.. all.Chunk(size).Select(embedding => new Answer(embedding, []))];
        int[] probes = [.. Enumerable.Range(0, answers.Length).Where(i => questions[i].Candidates > 0)];
        if (probes.Length > 0)
        {
            float[] searched = probes.Length == answers.Length ? all : [.. probes.SelectMany(i => answers[i].Embedding)];
            IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await recognizer.Gallery.SearchAsync(searched, recognizer.Model.ContractId, probes.Max(i => questions[i].Candidates));
            foreach ((int i, IReadOnlyList<GalleryCandidate> people) in probes.Zip(found))
            {
                answers[i] = answers[i] with { People = [.. people.Take(questions[i].Candidates)] };
            }

            metrics.Searched(probes.Length);
        }

        return answers;
    }

    private sealed record Question(RgbImage Face, int Candidates);

    private sealed record Answer(float[] Embedding, IReadOnlyList<GalleryCandidate> People);
}
