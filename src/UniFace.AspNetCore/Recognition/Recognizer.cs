namespace UniFace.AspNetCore.Recognition;

/// <summary>
/// What requests ask of the model and the gallery: faces of photos, a few photos at a time so that decoded pictures never fill the memory; embeddings
/// and searches in batches over all requests. Callers share each fairly. Thread-safe; owns model and gallery.
/// </summary>
internal sealed partial class Recognizer : IAsyncDisposable
{
    // In pixels times scans: what detection and alignment add, and the photo that takes so long that it must not have the last decoder.
    private const double DetectionWork = 1e6, LargeWork = 16e6;

    // Enough that a search reads the gallery once for all of them; few enough that the next batch, already waiting, is never a rest of one or two.
    private static readonly int MaxBatch = Math.Max(8, 4 * Environment.ProcessorCount);

    private readonly FairGate decoders = new(Environment.ProcessorCount), large = new(Math.Max(1, Environment.ProcessorCount - 1));
    private readonly IHttpContextAccessor requests;
    private readonly FaceBatches batches;
    private readonly EnrolledCount enrolledCount;
    private readonly ServerMetrics metrics;
    private readonly TimeSpan timeout;
    private readonly ILogger log;
    private int damaged;

    public Recognizer(OpenedModel opened, ServerMetrics metrics, IHttpContextAccessor requests, ServerOptions options, ILogger<Recognizer> log)
    {
        (Model, Gallery) = (opened.Model, opened.Gallery);
        this.metrics = metrics;
        this.requests = requests;
        this.log = log;
        timeout = options.RequestTimeout;
        batches = new FaceBatches(Embed, SearchAsync, MaxBatch);
        enrolledCount = new EnrolledCount(Gallery);
    }

    /// <summary>The model.</summary>
    public FaceRecognizer Model { get; }

    /// <summary>The gallery, of the same model.</summary>
    public StoredGallery Gallery { get; }

    private string Caller => Security.Caller.FairShareOf(requests.HttpContext!);

    /// <summary>Binds a handler's parameter to the service's recognizer; called by ASP.NET Core.</summary>
    /// <exception cref="RefusedException">No model is loaded.</exception>
    public static ValueTask<Recognizer?> BindAsync(HttpContext context) => ValueTask.FromResult<Recognizer?>(
        context.RequestServices.GetRequiredService<RecognizerSlot>().Loaded ?? throw new RefusedException(Refusal.NoModel, RecognizerSlot.NoModel));

    /// <summary>The faces of a photo.</summary>
    /// <param name="photo">The file's bytes.</param>
    /// <param name="name">The request's field, for an error.</param>
    /// <param name="choice">The main face, or all.</param>
    /// <param name="aligned">The photo is an aligned face of the model's size already.</param>
    /// <param name="stop">Stops the waiting.</param>
    /// <exception cref="UniFaceException">The photo is not a picture, is too large, or takes more work than one photo may.</exception>
    public async Task<(Photo Photo, IReadOnlyList<AlignedFace> Faces)> FindFacesAsync(
        byte[]? photo, string name, FaceChoice choice, bool aligned, CancellationToken stop)
    {
        if (photo is null or [])
        {
            throw new UniFaceException($"the field {name} is missing or empty: expected a photo as {ImageFormat.ExpectedOfStrangers}");
        }

        using Activity? span = ServerMetrics.Spans.StartActivity("detect");
        EncodedPicture encoded = Model.Decoder.Open(photo, name);
        double work = DetectionWork + encoded.Work;
        using IDisposable? place = work > LargeWork ? await large.EnterAsync(Caller, work, stop) : null;
        using IDisposable decoder = await decoders.EnterAsync(Caller, work, stop);
        return await Task.Run(
            () =>
            {
                Photo picture = encoded.Load();
                return (picture, aligned
                    ? [AlignedFace.FromImage(picture.Whole, Model.Embedder.InputSize, name)]
                    : Model.Photos.Search(picture, choice).Faces);
            },
            stop);
    }

    /// <summary>The main face of a photo; null if it shows none.</summary>
    /// <exception cref="UniFaceException">The photo is not a picture, is too large, or takes more work than one photo may.</exception>
    public async Task<AlignedFace?> FindMainFaceAsync(byte[]? photo, string name, bool aligned, CancellationToken stop) =>
        (await FindFacesAsync(photo, name, FaceChoice.Largest, aligned, stop)).Faces is [AlignedFace face, ..] ? face : null;

    /// <summary>The main face of a photo.</summary>
    /// <exception cref="RefusedException">It shows no face.</exception>
    public async Task<AlignedFace> RequireMainFaceAsync(byte[]? photo, string name, bool aligned, CancellationToken stop) =>
        await FindMainFaceAsync(photo, name, aligned, stop)
            ?? throw new RefusedException(Refusal.NoFace, $"no face was found on the photo in the field {name}; give a photo that shows a face");

    /// <summary>The embedding of a face, [D], of norm 1.</summary>
    public async Task<float[]> EmbedAsync(AlignedFace face, CancellationToken stop)
    {
        using Activity? span = ServerMetrics.Spans.StartActivity("embed");
        return await batches.EmbedAsync(face.Image, Caller, stop);
    }

    /// <summary>The people most similar to a face, best first.</summary>
    public async Task<IReadOnlyList<GalleryCandidate>> SearchAsync(AlignedFace face, int candidates, CancellationToken stop)
    {
        using Activity? span = ServerMetrics.Spans.StartActivity("embed and search");
        return await batches.SearchAsync(face.Image, candidates, Caller, stop);
    }

    /// <summary>The number of enrolled faces, a few seconds old at most.</summary>
    public Task<long> CountEnrolledAsync(CancellationToken stop) => enrolledCount.ReadAsync(stop);

    /// <summary>
    /// Logs the templates just enrolled whose face is also enrolled under another name, by <see cref="LookAlikeRule"/>.
    /// Names are personal data, so the log has the templates' ids.
    /// </summary>
    public async Task LogLookAlikesAsync(string person, IReadOnlyList<(long Template, float[] Embedding)> enrolled, CancellationToken stop)
    {
        if (LookAlikeRule.Create(Model.Calibration) is not LookAlikeRule rule)
        {
            return;
        }

        try
        {
            IReadOnlyList<GalleryCandidate>[] alike =
                await Task.WhenAll(enrolled.Select(e => batches.SearchAsync(e.Embedding, LookAlikeRule.Candidates, Caller, stop)));
            foreach (((long template, _), IReadOnlyList<GalleryCandidate> candidates) in enrolled.Zip(alike))
            {
                foreach (GalleryCandidate other in rule.Filter(person, candidates).Take(1))
                {
                    LookAlike(log, template, other.Score, rule.FalseMatchRate);
                }
            }
        }
        catch (Exception e) when (e is RefusedException or UniFaceException)
        {
            // The enrollment is complete without this check.
        }
    }

    /// <summary>Finishes what waits, closes the gallery with its index stored, and frees the model.</summary>
    public async ValueTask DisposeAsync()
    {
        await batches.DisposeAsync();
        try
        {
            await Gallery.StoreIndexAsync(always: false);
        }
        catch (UniFaceException e) when (e.InnerException is GalleryMovedException)
        {
            // The index belongs to another model by now.
        }

        await Gallery.DisposeAsync();
        Model.Dispose();
    }

    private float[][] Embed(IReadOnlyList<RgbImage> faces)
    {
        float[] all = Model.Embedder.Embed(faces); // [N, D]
        metrics.EmbeddingBatch.Record(faces.Count);
        return [.. all.Chunk(Model.Embedder.EmbeddingSize)];
    }

    private async Task<IReadOnlyList<IReadOnlyList<GalleryCandidate>>> SearchAsync(IReadOnlyList<float[]> probes, int candidates)
    {
        using CancellationTokenSource late = new(timeout); // no request waits longer
        float[] all = [.. probes.SelectMany(p => p)]; // [N, D]
        IReadOnlyList<IReadOnlyList<GalleryCandidate>> found = await Gallery.SearchAsync(all, Model.ContractId, candidates, late.Token);
        metrics.SearchBatch.Record(probes.Count);
        if (Gallery.Damage.Count is int now && now > damaged) // searches run one after the other
        {
            damaged = now;
            Damaged(log, now);
        }

        return found;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "{Templates} damaged templates of the gallery are left out of searches; 'uniface gallery verify-integrity' names them")]
    private static partial void Damaged(ILogger log, int templates);

    [LoggerMessage(Level = LogLevel.Warning, Message =
        "template {Template} was enrolled, but its face is enrolled under another name, too (score {Score}, above the threshold of false match rate {Rate})")]
    private static partial void LookAlike(ILogger log, long template, double score, double rate);
}
